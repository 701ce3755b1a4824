-- One row per day: sales in silver. Lake SQL.
select
    cast(order_date as varchar) as order_date,
    sum(case when is_first_of_order then 1 else 0 end) as orders,
    count(*) as lines,
    sum(quantity) as pizzas,
    sum(cast(revenue_cents as bigint)) as cents
from silver_order_lines
where status in ('placed', 'amended')
group by order_date
