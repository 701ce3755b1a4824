-- grain: one row per month and size with a sale; gold.size_performance from the lake
with by_size as (
  select
    cast(date_trunc('month', order_date) as date) as month,
    size as size,
    sum(case when is_first_of_size then 1 else 0 end) as orders,
    sum(quantity) as pizzas,
    sum(revenue_cents) as revenue_cents
  from order_lines
  where status in ('placed', 'amended')
  group by cast(date_trunc('month', order_date) as date), size
)

select
  month as month,
  size as size,
  orders as orders,
  pizzas as pizzas,
  cast(revenue_cents / 100.0 as decimal(14, 2)) as revenue,
  cast(
    100.0 * revenue_cents / sum(revenue_cents) over (partition by month)
    as decimal(14, 2)
  ) as share_pct
from by_size
order by month, revenue desc
