-- One row per offender: an order line that exists twice. An order is a store, a
-- business date and an order id. Lake SQL.
select
    'an order line exists twice' as what,
    cast(order_date as varchar) || ' ' || store_id || ' ' || order_id || ' line ' || cast(line_no as varchar) as example
from silver_order_lines
group by order_date, store_id, order_id, line_no
having count(*) > 1
