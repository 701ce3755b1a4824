-- grain: one row per order_date and pizza_id with a sale
-- The marks count orders once at each level, so that the levels' orders are
-- sums of these and no order id is ever compared with another.
select
  order_date as order_date,
  pizza_id as pizza_id,
  max(pizza_type_id) as pizza_type_id,
  max(pizza_name) as name,
  max(category) as category,
  max(size) as size,
  cast(sum(case when is_first_of_pizza then 1 else 0 end) as bigint) as orders,
  cast(sum(case when is_first_of_type then 1 else 0 end) as bigint)
    as type_orders,
  cast(sum(case when is_first_of_category then 1 else 0 end) as bigint)
    as category_orders,
  cast(sum(case when is_first_of_size then 1 else 0 end) as bigint)
    as size_orders,
  cast(sum(quantity) as bigint) as pizzas,
  cast(sum(revenue_cents) as bigint) as revenue_cents,
  cast(sum(cost_cents) as bigint) as cost_cents
from silver_order_lines
where order_date between cast(? as date) and cast(? as date)
  and status in ('placed', 'amended')
group by order_date, pizza_id
