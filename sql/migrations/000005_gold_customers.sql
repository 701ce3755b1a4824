-- Gold, per customer. Money is US dollars. silver_version and published_at
-- tell when a value of the row last changed, not when it was last looked at.
create table gold.customer_segments (
  customer_key text not null,
  recency_days integer not null,
  frequency integer not null,
  monetary numeric(14, 2) not null,
  recency_score smallint not null,
  frequency_score smallint not null,
  monetary_score smallint not null,
  segment text not null,
  first_ordered_at timestamptz not null,
  last_ordered_at timestamptz not null,
  silver_version bigint not null,
  published_at timestamptz not null,
  primary key (customer_key)
);
create index on gold.customer_segments (segment);
create index on gold.customer_segments (last_ordered_at);
comment on table gold.customer_segments is
  'Customers by recency, frequency and money spent, as of the last day sold';
comment on column gold.customer_segments.customer_key is
  'Keyed token of the customer id';
comment on column gold.customer_segments.recency_days is
  'Days from the last order to the last day that anybody ordered';
comment on column gold.customer_segments.frequency is
  'Orders';
comment on column gold.customer_segments.monetary is
  'US dollars spent';
comment on column gold.customer_segments.recency_score is
  '1 to 5 by fifths of all customers, equal for equals; 5 ordered most recently';
comment on column gold.customer_segments.frequency_score is
  '1 to 5 by fifths of all customers, equal for equals; 5 orders most often';
comment on column gold.customer_segments.monetary_score is
  '1 to 5 by fifths of all customers, equal for equals; 5 spends most';
comment on column gold.customer_segments.segment is
  'Name for the scores, such as champions, loyal, new, at_risk or lost';
comment on column gold.customer_segments.first_ordered_at is
  'First order';
comment on column gold.customer_segments.last_ordered_at is
  'Last order';
comment on column gold.customer_segments.silver_version is
  'Version of silver at which a value of this row last changed';
comment on column gold.customer_segments.published_at is
  'When a value of this row last changed';
