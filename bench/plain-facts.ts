/** The same facts as anybody would write them at first: orders are counted by their ids. */
const day = `where order_date between cast(? as date) and cast(? as date) and status in ('placed', 'amended')`;
const sums = `cast(sum(quantity) as bigint) as pizzas, cast(sum(revenue_cents) as bigint) as revenue_cents`;

export const plainFacts = [
  `select order_date, count(distinct order_id) as orders, count(*) as order_lines, ${sums},
     cast(sum(cost_cents) as bigint) as cost_cents, count(distinct customer_key) as customers
   from silver_order_lines ${day} group by order_date`,
  `select order_date, order_hour as hour, count(distinct order_id) as orders, ${sums}
   from silver_order_lines ${day} group by order_date, order_hour`,
  `select order_date, pizza_id, max(pizza_type_id) as pizza_type_id, max(pizza_name) as name, max(category) as category,
     max(size) as size, count(distinct order_id) as orders, ${sums}, cast(sum(cost_cents) as bigint) as cost_cents
   from silver_order_lines ${day} group by order_date, pizza_id`,
  `select order_date, store_id, channel, max(city) as city, max(state) as state, count(distinct order_id) as orders, ${sums},
     cast(sum(cost_cents) as bigint) as cost_cents
   from silver_order_lines ${day} group by order_date, store_id, channel`,
];
