-- grain: one row per order_date, customer_key, state and city with a sale
select
  order_date as order_date,
  customer_key as customer_key,
  state as state,
  city as city,
  cast(sum(case when is_first_of_order then 1 else 0 end) as bigint) as orders,
  cast(sum(revenue_cents) as bigint) as revenue_cents,
  min(ordered_at) as first_ordered_at,
  max(ordered_at) as last_ordered_at
from silver_order_lines
where order_date between cast(? as date) and cast(? as date)
  and status in ('placed', 'amended')
  and customer_key is not null
group by order_date, customer_key, state, city
