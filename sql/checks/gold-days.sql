-- One row per published day: sales in gold, and the silver versions that the day
-- and its rows by customer show. PostgreSQL.
select
    coalesce(windows.order_date, days.order_date)::text as order_date,
    greatest(windows.silver_version, shown.silver_version) as silver_version,
    windows.customers_version >= windows.silver_version as has_customers,
    coalesce(days.orders, 0) as orders,
    coalesce(days.order_lines, 0) as lines,
    coalesce(days.pizzas, 0) as pizzas,
    (coalesce(days.revenue, 0) * 100)::bigint as cents
from ops.windows as windows
full join gold.daily_sales_summary as days
    on days.order_date = windows.order_date
left join (
    select value::bigint as silver_version
    from ops.cursor
    where name = 'silver_version'
) as shown on windows.order_date is not null
