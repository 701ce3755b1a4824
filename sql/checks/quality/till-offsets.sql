-- One row per offender: a till whose orders of the last week have a UTC offset that
-- their store's time zone did not have at that moment. Their business date follows
-- from the moment and the store's time zone. Parameters: the first checked day, and
-- the day after the last. Lake SQL.
with asked as (
    select
        cast(? as date) as judged_from,
        cast(? as date) as judged_until
)

select
    producer_id || ': ' || cast(count(*) as varchar) || ' orders of ' || store_id || ' with an offset of '
    || cast(till_offset_minutes as varchar) || ' minutes' as example
from silver_order_lines
cross join asked
where till_offset_minutes is not null
    and is_first_of_order
    and order_date >= asked.judged_from
    and order_date < asked.judged_until
group by producer_id, store_id, till_offset_minutes
