-- grain: one row per order_date, store_id and channel with a sale
select
  order_date as order_date,
  store_id as store_id,
  channel as channel,
  max(city) as city,
  max(state) as state,
  cast(sum(case when is_first_of_order then 1 else 0 end) as bigint) as orders,
  cast(sum(quantity) as bigint) as pizzas,
  cast(sum(revenue_cents) as bigint) as revenue_cents,
  cast(sum(cost_cents) as bigint) as cost_cents
from silver_order_lines
where order_date between cast(? as date) and cast(? as date)
  and status in ('placed', 'amended')
group by order_date, store_id, channel
