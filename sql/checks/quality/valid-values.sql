-- One row per offender: an order line with a value that no order can have. Lake SQL.
with judged as (
    select
        order_id,
        line_no,
        case
            when status not in ('placed', 'amended', 'cancelled', 'refunded') then 'status'
            when channel not in ('dine_in', 'takeaway', 'delivery', 'online') then 'channel'
            when revision < 0 then 'revision'
            when line_no < 1 then 'line_no'
            when quantity not between 1 and 100 then 'quantity'
            when unit_price_cents < 0 then 'unit_price_cents'
            when unit_cost_cents < 0 then 'unit_cost_cents'
            when record_index < 0 then 'record_index'
            when order_hour not between 0 and 23 then 'order_hour'
            when daypart <> case
                when order_hour < 5 then 'late'
                when order_hour < 15 then 'lunch'
                when order_hour < 17 then 'afternoon'
                when order_hour < 21 then 'dinner'
                else 'late'
            end then 'daypart'
        end as wrong
    from silver_order_lines
)

select
    order_id || ' line ' || cast(line_no as varchar) || ': ' || wrong as example
from judged
where wrong is not null
