-- Gold, per month. Money is US dollars. silver_version and published_at
-- tell when a value of the row last changed, not when it was last looked at.
create table gold.monthly_sales_summary (
  month date not null,
  days integer not null,
  orders integer not null,
  order_lines integer not null,
  pizzas integer not null,
  revenue numeric(14, 2) not null,
  cost numeric(14, 2) not null,
  margin numeric(14, 2) not null,
  margin_pct numeric(14, 2),
  customers integer,
  avg_order_value numeric(14, 2),
  pizzas_per_order numeric(14, 2),
  revenue_growth_pct numeric(14, 2),
  silver_version bigint not null,
  published_at timestamptz not null,
  primary key (month)
);
comment on table gold.monthly_sales_summary is
  'Sales per month, with growth on the month before';
comment on column gold.monthly_sales_summary.month is
  'First day of the month';
comment on column gold.monthly_sales_summary.days is
  'Days with a sale';
comment on column gold.monthly_sales_summary.orders is
  'Orders that are sales: placed or amended, not cancelled or refunded';
comment on column gold.monthly_sales_summary.order_lines is
  'Lines of these orders';
comment on column gold.monthly_sales_summary.pizzas is
  'Pizzas sold';
comment on column gold.monthly_sales_summary.revenue is
  'US dollars taken';
comment on column gold.monthly_sales_summary.cost is
  'US dollars that the ingredients cost; invented';
comment on column gold.monthly_sales_summary.margin is
  'revenue - cost, US dollars';
comment on column gold.monthly_sales_summary.margin_pct is
  '100 x margin / revenue; null without revenue';
comment on column gold.monthly_sales_summary.customers is
  'Distinct customers known by name; counted last, null until then';
comment on column gold.monthly_sales_summary.avg_order_value is
  'revenue / orders, US dollars';
comment on column gold.monthly_sales_summary.pizzas_per_order is
  'pizzas / orders';
comment on column gold.monthly_sales_summary.revenue_growth_pct is
  '100 x (revenue / that of the month before - 1); null without one';
comment on column gold.monthly_sales_summary.silver_version is
  'Version of silver at which a value of this row last changed';
comment on column gold.monthly_sales_summary.published_at is
  'When a value of this row last changed';

create table gold.pizza_performance (
  month date not null,
  pizza_id text not null,
  pizza_type_id text not null,
  name text not null,
  category text not null,
  size text not null,
  orders integer not null,
  pizzas integer not null,
  revenue numeric(14, 2) not null,
  cost numeric(14, 2) not null,
  margin numeric(14, 2) not null,
  margin_pct numeric(14, 2),
  revenue_share_pct numeric(14, 2),
  rank_in_month integer not null,
  silver_version bigint not null,
  published_at timestamptz not null,
  primary key (month, pizza_id)
);
create index on gold.pizza_performance (pizza_id);
create index on gold.pizza_performance (category);
create index on gold.pizza_performance (size);
comment on table gold.pizza_performance is
  'Sales per month and pizza (type and size)';
comment on column gold.pizza_performance.month is
  'First day of the month';
comment on column gold.pizza_performance.pizza_id is
  'Key of the menu: type and size';
comment on column gold.pizza_performance.pizza_type_id is
  'The pizza without its size';
comment on column gold.pizza_performance.name is
  'Name on the menu';
comment on column gold.pizza_performance.category is
  'Chicken, Classic, Supreme or Veggie';
comment on column gold.pizza_performance.size is
  'S, M, L, XL or XXL';
comment on column gold.pizza_performance.orders is
  'Orders with this pizza';
comment on column gold.pizza_performance.pizzas is
  'Pizzas sold';
comment on column gold.pizza_performance.revenue is
  'US dollars taken';
comment on column gold.pizza_performance.cost is
  'US dollars that the ingredients cost; invented';
comment on column gold.pizza_performance.margin is
  'revenue - cost, US dollars';
comment on column gold.pizza_performance.margin_pct is
  '100 x margin / revenue; null without revenue';
comment on column gold.pizza_performance.revenue_share_pct is
  '100 x revenue / revenue of all in the month';
comment on column gold.pizza_performance.rank_in_month is
  'Place by revenue in the month, 1 for the most; equals share a place';
comment on column gold.pizza_performance.silver_version is
  'Version of silver at which a value of this row last changed';
comment on column gold.pizza_performance.published_at is
  'When a value of this row last changed';

create table gold.pizza_type_performance (
  month date not null,
  pizza_type_id text not null,
  name text not null,
  category text not null,
  orders integer not null,
  pizzas integer not null,
  revenue numeric(14, 2) not null,
  cost numeric(14, 2) not null,
  margin numeric(14, 2) not null,
  revenue_share_pct numeric(14, 2),
  rank_in_month integer not null,
  silver_version bigint not null,
  published_at timestamptz not null,
  primary key (month, pizza_type_id)
);
create index on gold.pizza_type_performance (pizza_type_id);
create index on gold.pizza_type_performance (category);
comment on table gold.pizza_type_performance is
  'Sales per month and type of pizza, all sizes together';
comment on column gold.pizza_type_performance.month is
  'First day of the month';
comment on column gold.pizza_type_performance.pizza_type_id is
  'The pizza without its size';
comment on column gold.pizza_type_performance.name is
  'Name on the menu';
comment on column gold.pizza_type_performance.category is
  'Chicken, Classic, Supreme or Veggie';
comment on column gold.pizza_type_performance.orders is
  'Distinct orders with this type';
comment on column gold.pizza_type_performance.pizzas is
  'Pizzas sold';
comment on column gold.pizza_type_performance.revenue is
  'US dollars taken';
comment on column gold.pizza_type_performance.cost is
  'US dollars that the ingredients cost; invented';
comment on column gold.pizza_type_performance.margin is
  'revenue - cost, US dollars';
comment on column gold.pizza_type_performance.revenue_share_pct is
  '100 x revenue / revenue of all in the month';
comment on column gold.pizza_type_performance.rank_in_month is
  'Place by revenue in the month, 1 for the most; equals share a place';
comment on column gold.pizza_type_performance.silver_version is
  'Version of silver at which a value of this row last changed';
comment on column gold.pizza_type_performance.published_at is
  'When a value of this row last changed';

create table gold.category_performance (
  month date not null,
  category text not null,
  orders integer not null,
  pizzas integer not null,
  revenue numeric(14, 2) not null,
  cost numeric(14, 2) not null,
  margin numeric(14, 2) not null,
  revenue_share_pct numeric(14, 2),
  silver_version bigint not null,
  published_at timestamptz not null,
  primary key (month, category)
);
create index on gold.category_performance (category);
comment on table gold.category_performance is
  'Sales per month and category';
comment on column gold.category_performance.month is
  'First day of the month';
comment on column gold.category_performance.category is
  'Chicken, Classic, Supreme or Veggie';
comment on column gold.category_performance.orders is
  'Distinct orders with this category';
comment on column gold.category_performance.pizzas is
  'Pizzas sold';
comment on column gold.category_performance.revenue is
  'US dollars taken';
comment on column gold.category_performance.cost is
  'US dollars that the ingredients cost; invented';
comment on column gold.category_performance.margin is
  'revenue - cost, US dollars';
comment on column gold.category_performance.revenue_share_pct is
  '100 x revenue / revenue of all in the month';
comment on column gold.category_performance.silver_version is
  'Version of silver at which a value of this row last changed';
comment on column gold.category_performance.published_at is
  'When a value of this row last changed';

create table gold.size_performance (
  month date not null,
  size text not null,
  orders integer not null,
  pizzas integer not null,
  revenue numeric(14, 2) not null,
  cost numeric(14, 2) not null,
  margin numeric(14, 2) not null,
  revenue_share_pct numeric(14, 2),
  silver_version bigint not null,
  published_at timestamptz not null,
  primary key (month, size)
);
create index on gold.size_performance (size);
comment on table gold.size_performance is
  'Sales per month and size';
comment on column gold.size_performance.month is
  'First day of the month';
comment on column gold.size_performance.size is
  'S, M, L, XL or XXL';
comment on column gold.size_performance.orders is
  'Distinct orders with this size';
comment on column gold.size_performance.pizzas is
  'Pizzas sold';
comment on column gold.size_performance.revenue is
  'US dollars taken';
comment on column gold.size_performance.cost is
  'US dollars that the ingredients cost; invented';
comment on column gold.size_performance.margin is
  'revenue - cost, US dollars';
comment on column gold.size_performance.revenue_share_pct is
  '100 x revenue / revenue of all in the month';
comment on column gold.size_performance.silver_version is
  'Version of silver at which a value of this row last changed';
comment on column gold.size_performance.published_at is
  'When a value of this row last changed';

create table gold.geographic_sales (
  month date not null,
  state text not null,
  city text not null,
  orders integer not null,
  customers integer,
  revenue numeric(14, 2) not null,
  cost numeric(14, 2) not null,
  margin numeric(14, 2) not null,
  silver_version bigint not null,
  published_at timestamptz not null,
  primary key (month, state, city)
);
create index on gold.geographic_sales (state, city);
comment on table gold.geographic_sales is
  'Sales per month and city of the store';
comment on column gold.geographic_sales.month is
  'First day of the month';
comment on column gold.geographic_sales.state is
  'State of the store';
comment on column gold.geographic_sales.city is
  'City of the store';
comment on column gold.geographic_sales.orders is
  'Orders that are sales: placed or amended, not cancelled or refunded';
comment on column gold.geographic_sales.customers is
  'Distinct customers known by name; counted last, null until then';
comment on column gold.geographic_sales.revenue is
  'US dollars taken';
comment on column gold.geographic_sales.cost is
  'US dollars that the ingredients cost; invented';
comment on column gold.geographic_sales.margin is
  'revenue - cost, US dollars';
comment on column gold.geographic_sales.silver_version is
  'Version of silver at which a value of this row last changed';
comment on column gold.geographic_sales.published_at is
  'When a value of this row last changed';
