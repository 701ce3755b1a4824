-- One row per offender: an order line without a value that every line has. Lake SQL.
with lacking as (
    select
        order_id,
        line_no,
        shard,
        sequence_number,
        case
            when order_id is null or order_id = '' then 'order_id'
            when line_no is null then 'line_no'
            when revision is null then 'revision'
            when status is null or status = '' then 'status'
            when ordered_at is null then 'ordered_at'
            when order_hour is null then 'order_hour'
            when daypart is null or daypart = '' then 'daypart'
            when store_id is null or store_id = '' then 'store_id'
            when city is null or city = '' then 'city'
            when state is null or state = '' then 'state'
            when channel is null or channel = '' then 'channel'
            when pizza_id is null or pizza_id = '' then 'pizza_id'
            when pizza_type_id is null or pizza_type_id = '' then 'pizza_type_id'
            when pizza_name is null or pizza_name = '' then 'pizza_name'
            when category is null or category = '' then 'category'
            when size is null or size = '' then 'size'
            when quantity is null then 'quantity'
            when unit_price_cents is null then 'unit_price_cents'
            when unit_cost_cents is null then 'unit_cost_cents'
            when revenue_cents is null then 'revenue_cents'
            when cost_cents is null then 'cost_cents'
            when margin_cents is null then 'margin_cents'
            when is_first_of_order is null then 'is_first_of_order'
            when is_first_of_pizza is null then 'is_first_of_pizza'
            when is_first_of_type is null then 'is_first_of_type'
            when is_first_of_category is null then 'is_first_of_category'
            when is_first_of_size is null then 'is_first_of_size'
            when emitted_at is null then 'emitted_at'
            when arrived_at is null then 'arrived_at'
            when producer_id is null or producer_id = '' then 'producer_id'
            when producer_seq is null then 'producer_seq'
            when shard is null or shard = '' then 'shard'
            when sequence_number is null or sequence_number = ''
                then 'sequence_number'
            when record_index is null then 'record_index'
            when payload_hash is null then 'payload_hash'
        end as lacks
    from silver_order_lines
)

select
    coalesce(order_id, shard || '/' || sequence_number, 'an order')
    || ' line ' || coalesce(cast(line_no as varchar), '?')
    || ': no ' || lacks as example
from lacking
where lacks is not null
