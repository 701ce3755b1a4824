-- One row per offender: an order line whose revenue, cost or margin is not quantity
-- times price, quantity times cost, or their difference. Lake SQL.
select
    order_id || ' line ' || cast(line_no as varchar) || ': revenue '
    || cast(revenue_cents as varchar) || ', cost ' || cast(cost_cents as varchar)
    || ', margin ' || cast(margin_cents as varchar) || ' cents of '
    || cast(quantity as varchar) || ' at ' || cast(unit_price_cents as varchar)
    || ', costing ' || cast(unit_cost_cents as varchar) as example
from silver_order_lines
where cast(revenue_cents as bigint) <> cast(quantity as bigint) * unit_price_cents
    or cast(cost_cents as bigint) <> cast(quantity as bigint) * unit_cost_cents
    or cast(margin_cents as bigint) <> cast(revenue_cents as bigint) - cost_cents
