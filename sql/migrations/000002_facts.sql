-- What silver says about each day. Money is integer cents. A publish replaces
-- a day's rows; nothing is ever added to a number that stands here.
create table facts.day_totals (
  order_date date primary key,
  orders integer not null,
  order_lines integer not null,
  pizzas integer not null,
  revenue_cents bigint not null,
  cost_cents bigint not null,
  customers integer not null
);
comment on table facts.day_totals is 'Sales per day';

create table facts.day_hours (
  order_date date not null,
  hour smallint not null,
  orders integer not null,
  pizzas integer not null,
  revenue_cents bigint not null,
  primary key (order_date, hour)
);
comment on table facts.day_hours is 'Sales per day and hour';

create table facts.day_items (
  order_date date not null,
  pizza_id text not null,
  pizza_type_id text not null,
  name text not null,
  category text not null,
  size text not null,
  orders integer not null,
  type_orders integer not null,
  category_orders integer not null,
  size_orders integer not null,
  pizzas integer not null,
  revenue_cents bigint not null,
  cost_cents bigint not null,
  primary key (order_date, pizza_id)
);
comment on table facts.day_items is
  'Sales per day and pizza. Each order counts once in orders per pizza, and once
in the sum of type_orders per type, category_orders per category, size_orders
per size';

create table facts.month_items (
  month date not null,
  pizza_id text not null,
  pizza_type_id text not null,
  name text not null,
  category text not null,
  size text not null,
  orders integer not null,
  type_orders integer not null,
  category_orders integer not null,
  size_orders integer not null,
  pizzas integer not null,
  revenue_cents bigint not null,
  cost_cents bigint not null,
  primary key (month, pizza_id)
);
comment on table facts.month_items is
  'Sales per month and pizza, added up from facts.day_items';

create table facts.day_stores (
  order_date date not null,
  store_id text not null,
  channel text not null,
  city text not null,
  state text not null,
  orders integer not null,
  pizzas integer not null,
  revenue_cents bigint not null,
  cost_cents bigint not null,
  primary key (store_id, channel, order_date)
);
create index on facts.day_stores (order_date);
comment on table facts.day_stores is 'Sales per day, store and channel';

create table facts.customer_days (
  order_date date not null,
  customer_key text not null,
  state text not null,
  city text not null,
  orders integer not null,
  revenue_cents bigint not null,
  first_ordered_at timestamptz not null,
  last_ordered_at timestamptz not null,
  primary key (order_date, customer_key, state, city)
);
comment on table facts.customer_days is
  'Purchases per day, customer and the city of the store';

create table facts.month_customers (
  month date primary key,
  customers integer not null
);
comment on table facts.month_customers is 'Distinct customers per month';

create table facts.month_city_customers (
  month date not null,
  state text not null,
  city text not null,
  customers integer not null,
  primary key (month, state, city)
);
comment on table facts.month_city_customers is
  'Distinct customers per month and city of the store';
