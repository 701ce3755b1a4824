-- grain: one row per order_date with a sale; gold.daily_sales_summary from the lake
select
  order_date as order_date,
  sum(case when is_first_of_order then 1 else 0 end) as orders,
  count(*) as order_lines,
  sum(quantity) as pizzas,
  cast(sum(revenue_cents) / 100.0 as decimal(14, 2)) as revenue,
  cast(sum(cost_cents) / 100.0 as decimal(14, 2)) as cost,
  cast(sum(margin_cents) / 100.0 as decimal(14, 2)) as margin,
  count(distinct customer_key) as customers
from order_lines
where status in ('placed', 'amended')
group by order_date
order by order_date
