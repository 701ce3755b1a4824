-- grain: one row per month and category with a sale; gold.category_performance from the lake
with by_category as (
  select
    cast(date_trunc('month', order_date) as date) as month,
    category as category,
    sum(case when is_first_of_category then 1 else 0 end) as orders,
    sum(quantity) as pizzas,
    sum(revenue_cents) as revenue_cents
  from order_lines
  where status in ('placed', 'amended')
  group by cast(date_trunc('month', order_date) as date), category
)

select
  month as month,
  category as category,
  orders as orders,
  pizzas as pizzas,
  cast(revenue_cents / 100.0 as decimal(14, 2)) as revenue,
  cast(
    100.0 * revenue_cents / sum(revenue_cents) over (partition by month)
    as decimal(14, 2)
  ) as share_pct
from by_category
order by month, revenue desc
