-- One row per gold row that an order counts in; $1 is the order as a JSON
-- document: order_date, hour, store_id, channel, state, city, customer_key, and
-- the arrays pizza_ids, pizza_type_ids, categories, sizes. PostgreSQL.
with asked as (
  select
    $1::jsonb as document,
    ($1::jsonb ->> 'order_date')::date as order_date,
    date_trunc('month', ($1::jsonb ->> 'order_date')::date)::date as month
),

found as (
  select 1 as place, 'gold.daily_sales_summary' as table_name, t.order_date::text as key, t.revenue, t.silver_version, t.published_at
  from gold.daily_sales_summary as t join asked using (order_date)
  union all
  select 2, 'gold.hourly_trends', t.order_date || ', ' || t.hour, t.revenue, t.silver_version, t.published_at
  from gold.hourly_trends as t join asked using (order_date)
  where t.hour = (document ->> 'hour')::integer
  union all
  select 3, 'gold.revenue_analytics', t.order_date || ', ' || t.store_id || ', ' || t.channel, t.revenue, t.silver_version, t.published_at
  from gold.revenue_analytics as t join asked using (order_date)
  where t.store_id = document ->> 'store_id' and t.channel = document ->> 'channel'
  union all
  select 4, 'gold.sales_hours', t.order_date || ', ' || t.hour || ', ' || t.store_id || ', ' || t.channel, t.revenue, t.silver_version, t.published_at
  from gold.sales_hours as t join asked using (order_date)
  where t.hour = (document ->> 'hour')::integer
    and t.store_id = document ->> 'store_id' and t.channel = document ->> 'channel'
  union all
  select 5, 'gold.sales_items', t.order_date || ', ' || t.store_id || ', ' || t.channel || ', ' || t.pizza_id, t.revenue, t.silver_version, t.published_at
  from gold.sales_items as t join asked using (order_date)
  where t.store_id = document ->> 'store_id' and t.channel = document ->> 'channel'
    and jsonb_exists(document -> 'pizza_ids', t.pizza_id)
  union all
  select 6, 'gold.monthly_sales_summary', t.month::text, t.revenue, t.silver_version, t.published_at
  from gold.monthly_sales_summary as t join asked using (month)
  union all
  select 7, 'gold.pizza_performance', t.month || ', ' || t.pizza_id, t.revenue, t.silver_version, t.published_at
  from gold.pizza_performance as t join asked using (month)
  where jsonb_exists(document -> 'pizza_ids', t.pizza_id)
  union all
  select 8, 'gold.pizza_type_performance', t.month || ', ' || t.pizza_type_id, t.revenue, t.silver_version, t.published_at
  from gold.pizza_type_performance as t join asked using (month)
  where jsonb_exists(document -> 'pizza_type_ids', t.pizza_type_id)
  union all
  select 9, 'gold.category_performance', t.month || ', ' || t.category, t.revenue, t.silver_version, t.published_at
  from gold.category_performance as t join asked using (month)
  where jsonb_exists(document -> 'categories', t.category)
  union all
  select 10, 'gold.size_performance', t.month || ', ' || t.size, t.revenue, t.silver_version, t.published_at
  from gold.size_performance as t join asked using (month)
  where jsonb_exists(document -> 'sizes', t.size)
  union all
  select 11, 'gold.geographic_sales', t.month || ', ' || t.state || ', ' || t.city, t.revenue, t.silver_version, t.published_at
  from gold.geographic_sales as t join asked using (month)
  where t.state = document ->> 'state' and t.city = document ->> 'city'
  union all
  select 12, 'gold.customer_segments', t.customer_key, t.monetary, t.silver_version, t.published_at
  from gold.customer_segments as t cross join asked
  where t.customer_key = document ->> 'customer_key'
)

select
  table_name,
  key,
  revenue::text as revenue,
  silver_version,
  to_char(published_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as published_at
from found
order by place, key
