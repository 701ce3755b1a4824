-- The ledgers of publishing.
create table ops.windows (
  order_date date primary key,
  silver_version bigint not null,
  order_lines integer not null,
  revenue_cents bigint not null,
  content_hash text not null,
  first_published_at timestamptz not null,
  published_at timestamptz not null,
  publish_count integer not null,
  reported_at timestamptz,
  customers_version bigint,
  customers_reported_at timestamptz
);
create index on ops.windows (order_date) where reported_at is null;
comment on table ops.windows is 'Every day that gold was published for';
comment on column ops.windows.order_date is 'The day';
comment on column ops.windows.silver_version is
  'Version of silver that gold shows for it; never falls';
comment on column ops.windows.order_lines is 'Order lines sold that day';
comment on column ops.windows.revenue_cents is 'Revenue that day, US cents';
comment on column ops.windows.content_hash is
  'MD5 of the facts of the day: equal facts, equal hash';
comment on column ops.windows.first_published_at is 'First publish';
comment on column ops.windows.published_at is 'Latest publish';
comment on column ops.windows.publish_count is 'Times it was published';
comment on column ops.windows.reported_at is
  'When the day counted as complete: changes since then are corrections';
comment on column ops.windows.customers_version is
  'Version of silver that the rows per customer show for it';
comment on column ops.windows.customers_reported_at is
  'When its rows per customer counted as complete';

create table ops.cursor (
  name text primary key,
  value text not null
);
comment on table ops.cursor is 'How far the pipeline has come';
comment on column ops.cursor.name is
  'silver_version: gold shows every change of silver up to it;
reported_until: days before this date were reported';
comment on column ops.cursor.value is 'A version, or a date';

create table ops.corrections (
  id bigint generated always as identity primary key,
  publish_id bigint,
  table_name text not null,
  key jsonb not null,
  column_name text not null,
  old_value text,
  new_value text,
  order_date date,
  month date,
  silver_version bigint,
  cause text not null,
  corrected_at timestamptz not null default now()
);
create index on ops.corrections (table_name, order_date);
create index on ops.corrections (publish_id);
create sequence ops.publish_id;
comment on table ops.corrections is
  'Values of gold that changed after their day was reported, one row per value.
A value changes for a reported day''s sake, or by hand; days that are still
filling up leave no trace here';
comment on column ops.corrections.id is 'Rises with every correction';
comment on column ops.corrections.publish_id is
  'The publish that made it; null for a change by hand';
comment on column ops.corrections.table_name is 'Table of gold';
comment on column ops.corrections.key is 'Primary key of the row';
comment on column ops.corrections.column_name is 'Column of the value';
comment on column ops.corrections.old_value is 'Before; null for a new row';
comment on column ops.corrections.new_value is 'After; null for a removed row';
comment on column ops.corrections.order_date is 'Day of the row, if it has one';
comment on column ops.corrections.month is 'Month of the row, if it has one';
comment on column ops.corrections.silver_version is
  'Version of silver that the new value shows';
comment on column ops.corrections.cause is
  'The days that were published again, or who changed it by hand';
comment on column ops.corrections.corrected_at is 'When';

create table ops.runs (
  id bigint generated always as identity primary key,
  workflow text not null,
  started_at timestamptz not null,
  milliseconds bigint not null,
  output jsonb not null,
  error text
);
create index on ops.runs (started_at);
comment on table ops.runs is 'Runs of workflows that had work, or failed';
comment on column ops.runs.id is 'Rises with every run';
comment on column ops.runs.workflow is 'Name of the state machine';
comment on column ops.runs.started_at is 'When it began';
comment on column ops.runs.milliseconds is 'How long it took';
comment on column ops.runs.output is 'What it gave back';
comment on column ops.runs.error is 'Why it failed; null if it did not';

create table ops.freshness (
  id bigint generated always as identity primary key,
  published_at timestamptz not null,
  silver_version bigint not null,
  orders integer not null,
  median_seconds numeric not null,
  p95_seconds numeric not null
);
create index on ops.freshness (published_at);
comment on table ops.freshness is 'How long orders took from the till to gold';
comment on column ops.freshness.id is 'Rises with every publish';
comment on column ops.freshness.published_at is 'When gold showed them';
comment on column ops.freshness.silver_version is 'Version of silver shown';
comment on column ops.freshness.orders is 'Orders that became visible';
comment on column ops.freshness.median_seconds is 'Median, seconds';
comment on column ops.freshness.p95_seconds is '95th percentile, seconds';

grant insert on ops.runs, ops.freshness to pizza_writer;
