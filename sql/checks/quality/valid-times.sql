-- One row per offender: an order that was placed more than five minutes after it
-- arrived, or whose day is not the day of its time in any time zone. Lake SQL.
select distinct
    order_id || ': ' || case
        when date_diff('second', arrived_at, ordered_at) > 300
            then 'ordered after it arrived'
        else 'lies in ' || cast(order_date as varchar)
            || ', and was ordered on ' || cast(cast(ordered_at as date) as varchar)
    end as example
from silver_order_lines
where date_diff('second', arrived_at, ordered_at) > 300
    or abs(date_diff('day', order_date, cast(ordered_at as date))) > 1
