-- grain: one row per order_date and hour with a sale
select
  order_date as order_date,
  order_hour as hour,
  cast(sum(case when is_first_of_order then 1 else 0 end) as bigint) as orders,
  cast(sum(quantity) as bigint) as pizzas,
  cast(sum(revenue_cents) as bigint) as revenue_cents
from silver_order_lines
where order_date between cast(? as date) and cast(? as date)
  and status in ('placed', 'amended')
group by order_date, order_hour
