-- What the columns of the facts mean; only comments.
comment on column facts.day_totals.order_date is
  'Business date: the day on the store''s own clock';
comment on column facts.day_totals.orders is 'Orders that are sales';
comment on column facts.day_totals.order_lines is 'Lines of these orders';
comment on column facts.day_totals.pizzas is 'Pizzas sold';
comment on column facts.day_totals.revenue_cents is 'US cents taken';
comment on column facts.day_totals.cost_cents is
  'US cents that the ingredients cost; invented';
comment on column facts.day_totals.customers is
  'Distinct customers known by name';

comment on column facts.day_hours.order_date is
  'Business date: the day on the store''s own clock';
comment on column facts.day_hours.hour is
  'Hour on the store''s own clock, 0 to 23';
comment on column facts.day_hours.orders is 'Orders that are sales';
comment on column facts.day_hours.pizzas is 'Pizzas sold';
comment on column facts.day_hours.revenue_cents is 'US cents taken';

comment on column facts.day_items.order_date is
  'Business date: the day on the store''s own clock';
comment on column facts.day_items.pizza_id is 'Pizza in its size';
comment on column facts.day_items.pizza_type_id is 'Pizza whatever its size';
comment on column facts.day_items.name is 'Name on the menu of that time';
comment on column facts.day_items.category is
  'Chicken, Classic, Supreme or Veggie';
comment on column facts.day_items.size is 'S, M, L, XL or XXL';
comment on column facts.day_items.orders is 'Orders with this pizza';
comment on column facts.day_items.type_orders is
  'Part of the orders of the pizza''s type that counts here';
comment on column facts.day_items.category_orders is
  'Part of the orders of its category that counts here';
comment on column facts.day_items.size_orders is
  'Part of the orders of its size that counts here';
comment on column facts.day_items.pizzas is 'Pizzas sold';
comment on column facts.day_items.revenue_cents is 'US cents taken';
comment on column facts.day_items.cost_cents is
  'US cents that the ingredients cost; invented';

comment on column facts.month_items.month is 'First day of the month';
comment on column facts.month_items.pizza_id is 'Pizza in its size';
comment on column facts.month_items.pizza_type_id is 'Pizza whatever its size';
comment on column facts.month_items.name is 'Name on the menu of that time';
comment on column facts.month_items.category is
  'Chicken, Classic, Supreme or Veggie';
comment on column facts.month_items.size is 'S, M, L, XL or XXL';
comment on column facts.month_items.orders is 'Orders with this pizza';
comment on column facts.month_items.type_orders is
  'Part of the orders of the pizza''s type that counts here';
comment on column facts.month_items.category_orders is
  'Part of the orders of its category that counts here';
comment on column facts.month_items.size_orders is
  'Part of the orders of its size that counts here';
comment on column facts.month_items.pizzas is 'Pizzas sold';
comment on column facts.month_items.revenue_cents is 'US cents taken';
comment on column facts.month_items.cost_cents is
  'US cents that the ingredients cost; invented';

comment on column facts.day_stores.order_date is
  'Business date: the day on the store''s own clock';
comment on column facts.day_stores.store_id is 'The store that sold';
comment on column facts.day_stores.channel is
  'dine_in, takeaway, delivery or online';
comment on column facts.day_stores.city is 'City of the store on that day';
comment on column facts.day_stores.state is 'State of the store on that day';
comment on column facts.day_stores.orders is 'Orders that are sales';
comment on column facts.day_stores.pizzas is 'Pizzas sold';
comment on column facts.day_stores.revenue_cents is 'US cents taken';
comment on column facts.day_stores.cost_cents is
  'US cents that the ingredients cost; invented';

comment on column facts.customer_days.order_date is
  'Business date: the day on the store''s own clock';
comment on column facts.customer_days.customer_key is 'Token of the customer';
comment on column facts.customer_days.state is 'State of the store';
comment on column facts.customer_days.city is 'City of the store';
comment on column facts.customer_days.orders is
  'The customer''s orders that are sales';
comment on column facts.customer_days.revenue_cents is 'US cents taken';
comment on column facts.customer_days.first_ordered_at is
  'First of these orders';
comment on column facts.customer_days.last_ordered_at is 'Last of these orders';

comment on column facts.month_customers.month is 'First day of the month';
comment on column facts.month_customers.customers is
  'Distinct customers known by name';

comment on column facts.month_city_customers.month is 'First day of the month';
comment on column facts.month_city_customers.state is 'State of the store';
comment on column facts.month_city_customers.city is 'City of the store';
comment on column facts.month_city_customers.customers is
  'Distinct customers known by name';
