-- grain: one row per customer_key with a sale; recency, frequency and money of gold.customer_segments from the lake
with last_day as (
  select max(order_date) as order_date
  from order_lines
  where status in ('placed', 'amended')
)

select
  order_lines.customer_key as customer_key,
  date_diff('day', max(order_lines.order_date), max(last_day.order_date))
    as recency_days,
  sum(case when order_lines.is_first_of_order then 1 else 0 end) as frequency,
  cast(sum(order_lines.revenue_cents) / 100.0 as decimal(14, 2)) as monetary,
  min(order_lines.ordered_at) as first_ordered_at,
  max(order_lines.ordered_at) as last_ordered_at,
  min(order_lines.order_date) as first_order_date,
  max(order_lines.order_date) as last_order_date
from order_lines
cross join last_day
where order_lines.status in ('placed', 'amended')
  and order_lines.customer_key is not null
group by order_lines.customer_key
order by monetary desc
