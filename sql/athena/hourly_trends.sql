-- grain: one row per order_date and hour with a sale; gold.hourly_trends from the lake
select
  order_date as order_date,
  order_hour as hour,
  sum(case when is_first_of_order then 1 else 0 end) as orders,
  sum(quantity) as pizzas,
  cast(sum(revenue_cents) / 100.0 as decimal(14, 2)) as revenue
from order_lines
where status in ('placed', 'amended')
group by order_date, order_hour
order by order_date, order_hour
