-- One row per offender: a day whose newest change came before the time that is the
-- parameter. It is asked of the days that gold has yet to publish. Lake SQL.
select
    cast(order_date as varchar) || ': last changed on '
    || cast(cast(max(arrived_at) as date) as varchar) as example
from silver_order_lines
group by order_date
having max(arrived_at) < cast(? as timestamp with time zone)
