-- grain: one row per month, state and city with a sale; gold.geographic_sales from the lake
select
  cast(date_trunc('month', order_date) as date) as month,
  state as state,
  city as city,
  sum(case when is_first_of_order then 1 else 0 end) as orders,
  count(distinct customer_key) as customers,
  cast(sum(revenue_cents) / 100.0 as decimal(14, 2)) as revenue,
  cast(sum(margin_cents) / 100.0 as decimal(14, 2)) as margin
from order_lines
where status in ('placed', 'amended')
group by cast(date_trunc('month', order_date) as date), state, city
order by month, revenue desc
