-- grain: one row per order_date, store_id and channel with a sale; gold.revenue_analytics from the lake
with by_day as (
  select
    order_date as order_date,
    store_id as store_id,
    channel as channel,
    sum(case when is_first_of_order then 1 else 0 end) as orders,
    sum(revenue_cents) as revenue_cents,
    sum(cost_cents) as cost_cents
  from order_lines
  where status in ('placed', 'amended')
  group by order_date, store_id, channel
)

select
  order_date as order_date,
  store_id as store_id,
  channel as channel,
  orders as orders,
  cast(revenue_cents / 100.0 as decimal(14, 2)) as revenue,
  cast(cost_cents / 100.0 as decimal(14, 2)) as cost,
  cast((revenue_cents - cost_cents) / 100.0 as decimal(14, 2)) as margin,
  cast(
    sum(revenue_cents) over (
      partition by store_id, channel
      order by order_date
      rows between unbounded preceding and current row
    ) / 100.0
    as decimal(14, 2)
  ) as revenue_cumulative
from by_day
order by order_date, store_id, channel
