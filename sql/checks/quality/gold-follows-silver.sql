-- One row per offender: a day whose newest event arrived before the time in the
-- parameter. Runs only on days that gold has not published yet. Lake SQL.
select
    cast(order_date as varchar) || ': last changed on '
    || cast(cast(max(arrived_at) as date) as varchar) as example
from silver_order_lines
group by order_date
having max(arrived_at) < cast(? as timestamp with time zone)
