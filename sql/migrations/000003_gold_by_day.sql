-- Gold, per day. Money is US dollars. silver_version and published_at
-- tell when a value of the row last changed, not when it was last looked at.
create table gold.daily_sales_summary (
  order_date date not null,
  weekday smallint not null,
  orders integer not null,
  order_lines integer not null,
  pizzas integer not null,
  revenue numeric(14, 2) not null,
  cost numeric(14, 2) not null,
  margin numeric(14, 2) not null,
  margin_pct numeric(14, 2),
  customers integer not null,
  avg_order_value numeric(14, 2),
  pizzas_per_order numeric(14, 2),
  silver_version bigint not null,
  published_at timestamptz not null,
  primary key (order_date)
);
comment on table gold.daily_sales_summary is
  'Sales per day';
comment on column gold.daily_sales_summary.order_date is
  'Business date: the day on the store''s own clock';
comment on column gold.daily_sales_summary.weekday is
  '1 Monday to 7 Sunday';
comment on column gold.daily_sales_summary.orders is
  'Orders that are sales: placed or amended, not cancelled or refunded';
comment on column gold.daily_sales_summary.order_lines is
  'Lines of these orders';
comment on column gold.daily_sales_summary.pizzas is
  'Pizzas sold';
comment on column gold.daily_sales_summary.revenue is
  'US dollars taken';
comment on column gold.daily_sales_summary.cost is
  'US dollars that the ingredients cost; invented';
comment on column gold.daily_sales_summary.margin is
  'revenue - cost, US dollars';
comment on column gold.daily_sales_summary.margin_pct is
  '100 x margin / revenue; null without revenue';
comment on column gold.daily_sales_summary.customers is
  'Distinct customers known by name';
comment on column gold.daily_sales_summary.avg_order_value is
  'revenue / orders, US dollars';
comment on column gold.daily_sales_summary.pizzas_per_order is
  'pizzas / orders';
comment on column gold.daily_sales_summary.silver_version is
  'Version of silver at which a value of this row last changed';
comment on column gold.daily_sales_summary.published_at is
  'When a value of this row last changed';

create table gold.hourly_trends (
  order_date date not null,
  hour smallint not null,
  weekday smallint not null,
  orders integer not null,
  pizzas integer not null,
  revenue numeric(14, 2) not null,
  silver_version bigint not null,
  published_at timestamptz not null,
  primary key (order_date, hour)
);
create index on gold.hourly_trends (hour);
create index on gold.hourly_trends (weekday, hour);
comment on table gold.hourly_trends is
  'Sales per day and hour of the day';
comment on column gold.hourly_trends.order_date is
  'Business date: the day on the store''s own clock';
comment on column gold.hourly_trends.hour is
  'Hour on the store''s own clock, 0 to 23';
comment on column gold.hourly_trends.weekday is
  '1 Monday to 7 Sunday';
comment on column gold.hourly_trends.orders is
  'Orders that are sales: placed or amended, not cancelled or refunded';
comment on column gold.hourly_trends.pizzas is
  'Pizzas sold';
comment on column gold.hourly_trends.revenue is
  'US dollars taken';
comment on column gold.hourly_trends.silver_version is
  'Version of silver at which a value of this row last changed';
comment on column gold.hourly_trends.published_at is
  'When a value of this row last changed';

create table gold.revenue_analytics (
  order_date date not null,
  store_id text not null,
  channel text not null,
  orders integer not null,
  revenue numeric(14, 2) not null,
  cost numeric(14, 2) not null,
  margin numeric(14, 2) not null,
  revenue_month_to_date numeric(14, 2) not null,
  revenue_7_days numeric(14, 2) not null,
  revenue_7_days_avg numeric(14, 2) not null,
  silver_version bigint not null,
  published_at timestamptz not null,
  primary key (order_date, store_id, channel)
);
create index on gold.revenue_analytics (store_id, order_date);
create index on gold.revenue_analytics (channel, order_date);
comment on table gold.revenue_analytics is
  'Revenue per day, store and channel, with running values';
comment on column gold.revenue_analytics.order_date is
  'Business date: the day on the store''s own clock';
comment on column gold.revenue_analytics.store_id is
  'The store that sold';
comment on column gold.revenue_analytics.channel is
  'dine_in, takeaway, delivery or online';
comment on column gold.revenue_analytics.orders is
  'Orders that are sales: placed or amended, not cancelled or refunded';
comment on column gold.revenue_analytics.revenue is
  'US dollars taken';
comment on column gold.revenue_analytics.cost is
  'US dollars that the ingredients cost; invented';
comment on column gold.revenue_analytics.margin is
  'revenue - cost, US dollars';
comment on column gold.revenue_analytics.revenue_month_to_date is
  'revenue of this store and channel from the first of the month to this day';
comment on column gold.revenue_analytics.revenue_7_days is
  'revenue of this store and channel on this day and the six days before';
comment on column gold.revenue_analytics.revenue_7_days_avg is
  'revenue_7_days / 7';
comment on column gold.revenue_analytics.silver_version is
  'Version of silver at which a value of this row last changed';
comment on column gold.revenue_analytics.published_at is
  'When a value of this row last changed';
