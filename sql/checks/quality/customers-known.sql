-- One row per offender: a day with at least 50 orders, too few of which name a
-- customer. Parameters: the minimum percentage, the first checked day, and the
-- day after the last. Lake SQL.
with asked as (
    select
        cast(? as bigint) as least_percent,
        cast(? as date) as judged_from,
        cast(? as date) as judged_until
),

days as (
    select
        order_date,
        sum(case when is_first_of_order then 1 else 0 end) as orders,
        sum(case when is_first_of_order and customer_key is not null then 1 else 0 end)
            as known
    from silver_order_lines
    where status in ('placed', 'amended')
    group by order_date
)

select
    cast(days.order_date as varchar) || ': ' || cast(days.known as varchar) || ' of '
    || cast(days.orders as varchar) || ' orders name a customer' as example
from days
cross join asked
where days.order_date >= asked.judged_from
    and days.order_date < asked.judged_until
    and days.orders >= 50
    and days.known * 100 < days.orders * asked.least_percent
