-- grain: one row per order_date, hour, store_id and channel with a sale; gold.sales_hours from the lake
select
  order_date as order_date,
  order_hour as hour,
  store_id as store_id,
  channel as channel,
  sum(case when is_first_of_order then 1 else 0 end) as orders,
  count(*) as order_lines,
  sum(quantity) as pizzas,
  cast(sum(revenue_cents) / 100.0 as decimal(14, 2)) as revenue,
  cast(sum(cost_cents) / 100.0 as decimal(14, 2)) as cost
from order_lines
where status in ('placed', 'amended')
group by order_date, order_hour, store_id, channel
order by order_date, order_hour, store_id, channel
