-- grain: one row per month and pizza_type_id with a sale; gold.pizza_type_performance from the lake
select
  cast(date_trunc('month', order_date) as date) as month,
  pizza_type_id as pizza_type_id,
  sum(case when is_first_of_type then 1 else 0 end) as orders,
  sum(quantity) as pizzas,
  cast(sum(revenue_cents) / 100.0 as decimal(14, 2)) as revenue,
  cast(sum(margin_cents) / 100.0 as decimal(14, 2)) as margin
from order_lines
where status in ('placed', 'amended')
group by cast(date_trunc('month', order_date) as date), pizza_type_id
order by month, revenue desc
