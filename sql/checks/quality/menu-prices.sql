-- One row per offender: an order line that differs in price, cost or kind from the
-- menu of its day. The table menu is data/menu.json. Lake SQL.
select
    line.order_id || ' line ' || cast(line.line_no as varchar) || ': ' || line.pizza_id
    || case
        when menu.pizza_id is null then ' is not on the menu of '
            || cast(line.order_date as varchar)
        else ' at ' || cast(line.unit_price_cents as varchar) || ' cents, costing '
            || cast(line.unit_cost_cents as varchar) || '; on the menu '
            || cast(menu.price_cents as varchar) || ', '
            || cast(menu.cost_cents as varchar)
    end as example
from silver_order_lines as line
left join menu
    on menu.pizza_id = line.pizza_id
    and line.order_date >= menu.valid_from
    and line.order_date < menu.valid_to
where menu.pizza_id is null
    or line.unit_price_cents <> menu.price_cents
    or line.unit_cost_cents <> menu.cost_cents
    or line.pizza_type_id <> menu.pizza_type_id
    or line.category <> menu.category
    or line.size <> menu.size
