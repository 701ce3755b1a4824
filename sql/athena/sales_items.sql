-- grain: one row per order_date, store_id, channel and pizza_id with a sale; gold.sales_items from the lake
select
  order_date as order_date,
  store_id as store_id,
  channel as channel,
  pizza_id as pizza_id,
  count(*) as order_lines,
  sum(quantity) as pizzas,
  cast(sum(revenue_cents) / 100.0 as decimal(14, 2)) as revenue,
  cast(sum(cost_cents) / 100.0 as decimal(14, 2)) as cost
from order_lines
where status in ('placed', 'amended')
group by order_date, store_id, channel, pizza_id
order by order_date, store_id, channel, pizza_id
