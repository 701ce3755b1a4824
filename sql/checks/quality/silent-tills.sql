-- One row per offender: a store, or a till of a store that does sell, without an
-- order for so long that a number of orders was to be expected by its habit: what it
-- sold in the same hours of the week in the four weeks before, in at least three of
-- them. Only hours count in which all stores together sold at least half as much as
-- usual, so that closed days and the end of a replay are no silence. Orders of
-- replays and imports count for nothing. Parameters: the number of expected orders,
-- and the time of the check. Lake SQL.
with asked as (
    select
        cast(? as bigint) as least_expected,
        cast(? as timestamp with time zone) as asked_at
),

orders as (
    select
        silver_order_lines.store_id,
        silver_order_lines.producer_id,
        cast(floor(
            date_diff('second', silver_order_lines.ordered_at, asked.asked_at) / 3600.0
        ) as bigint) as hours_ago
    from silver_order_lines
    cross join asked
    where silver_order_lines.is_first_of_order
        and silver_order_lines.producer_id not like 'replay:%'
        and silver_order_lines.producer_id not like 'import:%'
        and silver_order_lines.ordered_at <= asked.asked_at
),

sellers as (
    select 'store ' || store_id as seller, store_id, hours_ago from orders
    union all
    select 'till ' || producer_id as seller, store_id, hours_ago from orders
),

last_sale as (
    select
        seller,
        store_id,
        min(hours_ago) as silent_hours
    from sellers
    group by seller, store_id
),

chain as (
    select
        hours_ago % 168 as hour_slot,
        sum(case when hours_ago < 168 then 1 else 0 end) as orders,
        sum(case when hours_ago >= 168 then 1 else 0 end) / 4.0 as usual
    from orders
    where hours_ago < 840
    group by hours_ago % 168
),

missed as (
    select
        last_sale.seller,
        last_sale.store_id,
        last_sale.silent_hours,
        count(*) / 4.0 as expected,
        count(distinct cast(floor(sellers.hours_ago / 168.0) as bigint)) as weeks
    from last_sale
    inner join sellers
        on sellers.seller = last_sale.seller
        and sellers.store_id = last_sale.store_id
        and sellers.hours_ago >= 168
        and sellers.hours_ago < 840
        and sellers.hours_ago % 168 < last_sale.silent_hours
    inner join chain
        on chain.hour_slot = sellers.hours_ago % 168
        and chain.orders > 0
        and chain.orders * 2 >= chain.usual
    group by last_sale.seller, last_sale.store_id, last_sale.silent_hours
),

silent as (
    select
        missed.seller,
        missed.store_id,
        missed.silent_hours,
        missed.expected
    from missed
    cross join asked
    where missed.weeks >= 3
        and missed.expected >= asked.least_expected
)

select
    silent.seller || ': no order for ' || cast(silent.silent_hours as varchar) || ' hours, in which about '
    || cast(cast(round(silent.expected) as bigint) as varchar) || ' are usual' as example
from silent
left join silent as whole_store
    on whole_store.store_id = silent.store_id
    and whole_store.seller = 'store ' || silent.store_id
where silent.seller like 'store %'
    or whole_store.seller is null
