-- Publishing rows per customer: the slow part of gold, so a step of its own.
create function ops.replace_customer_facts(document jsonb, days date[])
returns void
language plpgsql as $$
declare
  months date[] := array(
    select distinct facts.month_of(day) from unnest(days) as day
  );
begin
  delete from facts.customer_days where order_date = any (days);
  insert into facts.customer_days
  select * from jsonb_populate_recordset(
    null::facts.customer_days, document -> 'customer_days'
  ) where order_date = any (days);
  delete from facts.month_customers where month = any (months);
  insert into facts.month_customers
  select month, count(distinct customer_key)
  from unnest(months) as month left join facts.customer_days
    on order_date >= month and order_date < month + interval '1 month'
  group by month;
  delete from facts.month_city_customers where month = any (months);
  insert into facts.month_city_customers
  select month, state, city, count(distinct customer_key)
  from unnest(months) as month join facts.customer_days
    on order_date >= month and order_date < month + interval '1 month'
  group by month, state, city;
end $$;

create function ops.publish_customer_days(
  document jsonb, days date[], correcting boolean, publish_id bigint
) returns integer
language plpgsql as $$
declare
  version bigint := document ->> 'silver_version';
  first_day date := (select facts.month_of(min(day)) from unnest(days) as day);
  last_day date := (
    select facts.month_of(max(day)) + interval '1 month - 1 day'
    from unnest(days) as day
  );
  rows_changed integer;
begin
  if cardinality(days) = 0 then
    return 0;
  end if;
  perform ops.begin_changes(days, version, correcting, publish_id);
  perform ops.replace_customer_facts(document, days);
  update ops.windows set
    customers_version = version,
    customers_reported_at = coalesce(
      customers_reported_at, case when reported_at is not null then now() end
    )
  where order_date = any (days);
  rows_changed :=
    ops.refresh_monthly_sales_summary(first_day, last_day, version)
    + ops.refresh_geographic_sales(first_day, last_day, version);
  if correcting then
    rows_changed := rows_changed
      + ops.refresh_customer_segments(first_day, last_day, version);
  end if;
  perform ops.end_changes();
  return rows_changed;
end $$;

-- Scores all customers anew; returns how many rows changed. No correction: that
-- somebody's last order grows older is not one.
create function ops.publish_customer_segments(version bigint) returns integer
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set enable_nestloop = off
as $$
declare
  rows_changed integer;
begin
  perform pg_advisory_xact_lock(4103, 0);
  perform ops.begin_changes('{}', version, false, null);
  rows_changed := ops.refresh_customer_segments(null, null, version);
  perform ops.end_changes();
  return rows_changed;
end $$;

-- Publishes the purchases per customer of some days, in one transaction: days
-- whose rows per customer are of an older version of silver. The customers are
-- scored at once only where a reported day changes; after the last of many
-- calls ops.publish_customer_segments does so.
create function ops.publish_customers(
  document jsonb,
  out published integer, out skipped integer,
  out rows_changed integer, out corrections integer
)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set enable_nestloop = off
as $$
declare
  version bigint := document ->> 'silver_version';
  asked date[] := array(
    select distinct day::date
    from jsonb_array_elements_text(document -> 'windows') as day
  );
  reported date[];
  others date[];
  this_publish bigint := nextval('ops.publish_id');
begin
  perform ops.lock_days(asked);
  select
    coalesce(array_agg(day order by day)
      filter (where customers_reported_at is not null), '{}'),
    coalesce(array_agg(day order by day)
      filter (where customers_reported_at is null), '{}')
  into reported, others
  from unnest(asked) as day join ops.windows as shown on shown.order_date = day
  where shown.customers_version is null or shown.customers_version < version;
  published := cardinality(reported) + cardinality(others);
  skipped := cardinality(asked) - published;
  perform ops.lock_months(min(day), max(day)) from unnest(asked) as day;
  rows_changed := 0;
  if cardinality(reported) > 0 then
    -- What other days still owe the scores is no correction of these.
    rows_changed := ops.publish_customer_segments(version);
  end if;
  rows_changed := rows_changed
    + ops.publish_customer_days(document, reported, true, this_publish)
    + ops.publish_customer_days(document, others, false, this_publish);
  corrections := (
    select count(*) from ops.corrections as made
    where made.publish_id = this_publish
  );
end $$;

grant execute on function
  ops.publish_customers, ops.publish_customer_segments
to pizza_writer;
