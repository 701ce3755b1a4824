-- The business dates of a customer's first and last order, beside the moments: a
-- moment in UTC may lie on another day than the store's own.
alter table gold.customer_segments
add column first_order_date date,
add column last_order_date date;
comment on column gold.customer_segments.first_order_date is
  'Business date of the first order, by the clock of its store';
comment on column gold.customer_segments.last_order_date is
  'Business date of the last order, by the clock of its store';
create index on gold.customer_segments (last_order_date);
drop function facts.customer_segments(date, date);

select ops.define_gold_table('gold.customer_segments', $$
  with
  customers as (
    select
      customer_key,
      (select max(order_date) from facts.customer_days) - max(order_date)
        as recency_days,
      sum(orders)::integer as frequency,
      sum(revenue_cents) as revenue_cents,
      min(first_ordered_at) as first_ordered_at,
      max(last_ordered_at) as last_ordered_at,
      min(order_date) as first_order_date,
      max(order_date) as last_order_date
    from facts.customer_days
    group by customer_key
  ),
  ranked as (
    select
      *,
      percent_rank() over (order by recency_days desc) as recency_rank,
      percent_rank() over (order by frequency) as frequency_rank,
      percent_rank() over (order by revenue_cents) as monetary_rank
    from customers
  ),
  scored as (
    select
      *,
      least(1 + floor(5 * recency_rank), 5)::smallint as r,
      least(1 + floor(5 * frequency_rank), 5)::smallint as f,
      least(1 + floor(5 * monetary_rank), 5)::smallint as m
    from ranked
  )
  select
    customer_key,
    recency_days,
    frequency,
    facts.dollars(revenue_cents) as monetary,
    r as recency_score,
    f as frequency_score,
    m as monetary_score,
    case
      when r >= 4 and f + m >= 8 then 'champions'
      when r >= 3 and f + m >= 6 then 'loyal'
      when r >= 4 and f + m >= 4 then 'potential_loyal'
      when r >= 4 then 'new'
      when r = 3 then 'needs_attention'
      when f + m >= 8 then 'cannot_lose'
      when f + m >= 6 then 'at_risk'
      when r = 2 then 'about_to_sleep'
      else 'lost'
    end as segment,
    first_ordered_at,
    last_ordered_at,
    first_order_date,
    last_order_date
  from scored
$$);

select set_config('pizza.corrections', 'off', true);
update gold.customer_segments as segments set
  first_order_date = fresh.first_order_date,
  last_order_date = fresh.last_order_date
from facts.customer_segments(null, null) as fresh
where fresh.customer_key = segments.customer_key;
select set_config('pizza.corrections', '', true);
