-- One row per offender: an order whose lines do not agree. They have different
-- order-level values, or their marks do not count the order (and each pizza, type,
-- category and size in it) exactly once. Lake SQL.
with orders as (
    select
        order_id,
        order_date,
        store_id,
        case
            when min(revision) <> max(revision) then 'revision'
            when min(status) <> max(status) then 'status'
            when min(ordered_at) <> max(ordered_at) then 'ordered_at'
            when min(channel) <> max(channel) then 'channel'
            when min(customer_key) <> max(customer_key) then 'customer_key'
            when min(sequence_number) <> max(sequence_number) then 'sequence_number'
            when sum(case when is_first_of_order then 1 else 0 end) <> 1
                then 'is_first_of_order'
            when sum(case when is_first_of_pizza then 1 else 0 end)
                <> count(distinct pizza_id)
                then 'is_first_of_pizza'
            when sum(case when is_first_of_type then 1 else 0 end)
                <> count(distinct pizza_type_id)
                then 'is_first_of_type'
            when sum(case when is_first_of_category then 1 else 0 end)
                <> count(distinct category)
                then 'is_first_of_category'
            when sum(case when is_first_of_size then 1 else 0 end)
                <> count(distinct size)
                then 'is_first_of_size'
        end as differs
    from silver_order_lines
    group by order_id, order_date, store_id
)

select cast(order_date as varchar) || ' ' || store_id || ' ' || order_id || ': ' || differs as example
from orders
where differs is not null
