-- One row per offender: an order line that exists twice, or an order stored under two days. Lake SQL.
with repeated_lines as (
    select order_id, line_no
    from silver_order_lines
    group by order_id, line_no
    having count(*) > 1
),

orders_in_two_days as (
    select order_id
    from silver_order_lines
    group by order_id
    having min(order_date) <> max(order_date)
)

select
    'an order line stands twice' as what,
    order_id || ' line ' || cast(line_no as varchar) as example
from repeated_lines
union all
select
    'an order lies in two days' as what,
    order_id as example
from orders_in_two_days
