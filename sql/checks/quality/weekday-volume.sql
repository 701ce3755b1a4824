-- One row per offender: a day with far fewer or far more orders than the same
-- weekday of the four weeks before, by a factor. At least three of those weekdays
-- must have orders, 20 on average; a day without orders is a closed day, and is
-- not checked. Parameters: the factor, the first checked day, and the day after
-- the last. Lake SQL.
with asked as (
    select
        cast(? as bigint) as factor,
        cast(? as date) as judged_from,
        cast(? as date) as judged_until
),

days as (
    select
        order_date,
        sum(case when is_first_of_order then 1 else 0 end) as orders
    from silver_order_lines
    where status in ('placed', 'amended')
    group by order_date
),

compared as (
    select
        day.order_date,
        day.orders,
        sum(before.orders) as orders_before,
        count(*) as weeks
    from days as day
    inner join days as before
        on date_diff('day', before.order_date, day.order_date) in (7, 14, 21, 28)
    group by day.order_date, day.orders
)

select
    cast(compared.order_date as varchar) || ': ' || cast(compared.orders as varchar)
    || ' orders; ' || cast(compared.orders_before as varchar) || ' on '
    || cast(compared.weeks as varchar) || ' such weekdays before' as example
from compared
cross join asked
where compared.order_date >= asked.judged_from
    and compared.order_date < asked.judged_until
    and compared.weeks >= 3
    and compared.orders_before >= 20 * compared.weeks
    and (
        compared.orders * compared.weeks * asked.factor < compared.orders_before
        or compared.orders * compared.weeks > compared.orders_before * asked.factor
    )
