-- grain: one row per order_date; per order_date and pizza_id; per order_date,
-- store_id and channel; per order_date, store_id, channel and hour; per order_date,
-- store_id, channel and pizza_id; each with a sale. `fact` names which of the five a
-- row is, and so which columns are used: a row has sums at its own level. Distinct
-- customers are in day-customers.sql.
-- The marks count orders once at each level, so that the number of orders at a
-- level is a sum of marks, without count(distinct order_id). is_live is 0 where
-- all orders come from a replay or an import.
select
  case grouping(order_hour, pizza_id, store_id)
    when 7 then 'day_totals'
    when 5 then 'day_items'
    when 6 then 'day_stores'
    when 2 then 'sales_hours'
    when 4 then 'sales_items'
  end as fact,
  order_date as order_date,
  order_hour as hour,
  pizza_id as pizza_id,
  max(pizza_type_id) as pizza_type_id,
  max(pizza_name) as name,
  max(category) as category,
  max(size) as size,
  store_id as store_id,
  channel as channel,
  max(city) as city,
  max(state) as state,
  case grouping(order_hour, pizza_id, store_id)
    when 5 then cast(sum(case when is_first_of_pizza then 1 else 0 end) as bigint)
    else cast(sum(case when is_first_of_order then 1 else 0 end) as bigint)
  end as orders,
  cast(sum(case when is_first_of_type then 1 else 0 end) as bigint)
    as type_orders,
  cast(sum(case when is_first_of_category then 1 else 0 end) as bigint)
    as category_orders,
  cast(sum(case when is_first_of_size then 1 else 0 end) as bigint)
    as size_orders,
  count(*) as order_lines,
  cast(sum(quantity) as bigint) as pizzas,
  cast(sum(revenue_cents) as bigint) as revenue_cents,
  cast(sum(cost_cents) as bigint) as cost_cents,
  max(case
    when producer_id like 'replay:%' or producer_id like 'import:%' then 0
    else 1
  end) as is_live
from silver_order_lines
where order_date between cast(? as date) and cast(? as date)
  and status in ('placed', 'amended')
group by grouping sets (
  (order_date),
  (order_date, pizza_id),
  (order_date, store_id, channel),
  (order_date, store_id, channel, order_hour),
  (order_date, store_id, channel, pizza_id)
)
