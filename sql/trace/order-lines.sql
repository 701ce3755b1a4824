-- One row per line in silver of the orders whose id is the parameter. Lake SQL.
select
    cast(order_date as varchar) as order_date,
    order_hour,
    line_no,
    revision,
    status,
    ordered_at,
    store_id,
    city,
    state,
    channel,
    customer_key,
    pizza_id,
    pizza_type_id,
    category,
    size,
    quantity,
    revenue_cents,
    shard,
    sequence_number,
    record_index
from silver_order_lines
where order_id = ?
order by order_date, store_id, line_no
