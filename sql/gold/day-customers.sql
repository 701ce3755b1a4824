-- grain: one row per order_date with a sale
select
  order_date as order_date,
  count(distinct customer_key) as customers
from silver_order_lines
where order_date between cast(? as date) and cast(? as date)
  and status in ('placed', 'amended')
group by order_date
