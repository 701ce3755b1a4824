-- grain: one row per order_date with a sale
select
  order_date as order_date,
  cast(sum(case when is_first_of_order then 1 else 0 end) as bigint) as orders,
  count(*) as order_lines,
  cast(sum(quantity) as bigint) as pizzas,
  cast(sum(revenue_cents) as bigint) as revenue_cents,
  cast(sum(cost_cents) as bigint) as cost_cents,
  count(distinct customer_key) as customers
from silver_order_lines
where order_date between cast(? as date) and cast(? as date)
  and status in ('placed', 'amended')
group by order_date
