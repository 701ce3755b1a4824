-- One row per offender: a till with events that arrived since the parameter and were
-- sent more than two days from their arrival, or with orders more than a year away
-- from all its others. Tills of a replay or an import send history and are exempt.
-- Lake SQL.
with orders as (
    select
        producer_id,
        emitted_at,
        arrived_at,
        ordered_at,
        lag(ordered_at) over (partition by producer_id order by ordered_at) as earlier,
        lead(ordered_at) over (partition by producer_id order by ordered_at) as later
    from silver_order_lines
    where is_first_of_order
        and producer_id not like 'replay:%'
        and producer_id not like 'import:%'
),

strange as (
    select
        producer_id,
        case
            when abs(date_diff('second', emitted_at, arrived_at)) > 172800 then 1
            else 0
        end as is_sent_elsewhen,
        case
            when coalesce(earlier, later) is not null
                and coalesce(date_diff('day', earlier, ordered_at), 9999) > 365
                and coalesce(date_diff('day', ordered_at, later), 9999) > 365
                then 1
            else 0
        end as is_far_away
    from orders
    where arrived_at > cast(? as timestamp with time zone)
)

select
    producer_id || ': ' || cast(sum(is_sent_elsewhen) as varchar) || ' events sent more than two days from their arrival, '
    || cast(sum(is_far_away) as varchar) || ' orders more than a year from its others' as example
from strange
where is_sent_elsewhen + is_far_away > 0
group by producer_id
