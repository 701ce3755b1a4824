-- Publishing days. Locks are taken in one order everywhere, so that nobody
-- waits in a circle: days, months, customers, each from the earliest on.
create function ops.lock_days(days date[]) returns void
language plpgsql as $$
declare
  day date;
begin
  -- A snapshot older than the lock would show the facts of before the wait.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'transaction isolation is %: publish at read committed',
      current_setting('transaction_isolation');
  end if;
  foreach day in array array(select unnest(days) order by 1) loop
    perform pg_advisory_xact_lock(4101, day - date '2000-01-01');
  end loop;
end $$;

create function ops.lock_months(first_day date, last_day date) returns void
language plpgsql as $$
declare
  month date := facts.month_of(first_day);
begin
  while month <= last_day loop
    perform pg_advisory_xact_lock(4102, month - date '2000-01-01');
    month := month + interval '1 month';
  end loop;
end $$;

create function ops.is_reported(day date) returns boolean
language sql stable as $$
  select coalesce(
    (select reported_at is not null from ops.windows where order_date = day),
    (select day < value::date from ops.cursor where name = 'reported_until'),
    false
  )
$$;

create function ops.replace_facts(document jsonb, days date[]) returns void
language plpgsql as $$
begin
  delete from facts.day_totals where order_date = any (days);
  insert into facts.day_totals
  select * from jsonb_populate_recordset(
    null::facts.day_totals, document -> 'day_totals'
  ) where order_date = any (days);
  delete from facts.day_hours where order_date = any (days);
  insert into facts.day_hours
  select * from jsonb_populate_recordset(
    null::facts.day_hours, document -> 'day_hours'
  ) where order_date = any (days);
  delete from facts.day_items where order_date = any (days);
  insert into facts.day_items
  select * from jsonb_populate_recordset(
    null::facts.day_items, document -> 'day_items'
  ) where order_date = any (days);
  delete from facts.day_stores where order_date = any (days);
  insert into facts.day_stores
  select * from jsonb_populate_recordset(
    null::facts.day_stores, document -> 'day_stores'
  ) where order_date = any (days);
end $$;

create function ops.replace_month_items(first_day date, last_day date)
returns void
language plpgsql as $$
begin
  delete from facts.month_items where month between first_day and last_day;
  insert into facts.month_items
  select
    facts.month_of(order_date),
    pizza_id,
    max(pizza_type_id),
    max(name),
    max(category),
    max(size),
    sum(orders),
    sum(type_orders),
    sum(category_orders),
    sum(size_orders),
    sum(pizzas),
    sum(revenue_cents),
    sum(cost_cents)
  from facts.day_items
  where order_date between first_day and last_day
  group by 1, 2;
end $$;

create function ops.hash_of_day(day date) returns text
language sql stable as $$
  with
  facts_of_day as (
    select f::text as line from facts.day_totals as f where order_date = day
    union all
    select f::text from facts.day_hours as f where order_date = day
    union all
    select f::text from facts.day_items as f where order_date = day
    union all
    select f::text from facts.day_stores as f where order_date = day
  )
  select md5(coalesce(string_agg(line, e'\n' order by line collate "C"), ''))
  from facts_of_day
$$;

create function ops.note_windows(days date[], version bigint) returns void
language sql as $$
  insert into ops.windows as known (
    order_date, silver_version, order_lines, revenue_cents, content_hash,
    first_published_at, published_at, publish_count,
    reported_at, customers_reported_at
  )
  select
    day,
    version,
    coalesce(total.order_lines, 0),
    coalesce(total.revenue_cents, 0),
    ops.hash_of_day(day),
    now(),
    now(),
    1,
    case when ops.is_reported(day) then now() end,
    case when ops.is_reported(day) then now() end
  from unnest(days) as day
  left join facts.day_totals as total on total.order_date = day
  on conflict (order_date) do update set
    silver_version = excluded.silver_version,
    order_lines = excluded.order_lines,
    revenue_cents = excluded.revenue_cents,
    content_hash = excluded.content_hash,
    published_at = excluded.published_at,
    publish_count = known.publish_count + 1
$$;

-- Brings every table that the days reach to what the facts say. The month after
-- is reached too: its growth and its first six days look back.
create function ops.refresh_gold(days date[], version bigint) returns integer
language plpgsql as $$
declare
  first_day date := (select min(day) from unnest(days) as day);
  last_day date := (select max(day) from unnest(days) as day);
  month date := facts.month_of(first_day);
  month_end date := facts.month_of(last_day) + interval '1 month - 1 day';
  next_end date := facts.month_of(last_day) + interval '2 months - 1 day';
begin
  perform ops.lock_months(month, next_end);
  perform ops.replace_month_items(month, month_end);
  return ops.refresh_daily_sales_summary(first_day, last_day, version)
    + ops.refresh_hourly_trends(first_day, last_day, version)
    + ops.refresh_monthly_sales_summary(month, next_end, version)
    + ops.refresh_pizza_performance(month, month_end, version)
    + ops.refresh_pizza_type_performance(month, month_end, version)
    + ops.refresh_category_performance(month, month_end, version)
    + ops.refresh_size_performance(month, month_end, version)
    + ops.refresh_geographic_sales(month, month_end, version)
    + ops.refresh_revenue_analytics(
      first_day, greatest(month_end, last_day + 6), version
    );
end $$;

create function ops.publish_days(
  document jsonb, days date[], correcting boolean, publish_id bigint
) returns integer
language plpgsql as $$
declare
  version bigint := document ->> 'silver_version';
  rows_changed integer;
begin
  if cardinality(days) = 0 then
    return 0;
  end if;
  perform ops.begin_changes(days, version, correcting, publish_id);
  perform ops.replace_facts(document, days);
  perform ops.note_windows(days, version);
  rows_changed := ops.refresh_gold(days, version);
  perform ops.end_changes();
  return rows_changed;
end $$;

-- Publishes the facts of some days, in one transaction: the days that gold
-- shows at an older version of silver; the others are skipped. Reported days go
-- first and alone, so that exactly what they change is written down.
create function ops.publish_windows(
  document jsonb,
  out published integer, out skipped integer,
  out rows_changed integer, out corrections integer
)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
-- Planning anew at each call would cost as much as the work. A plan that is
-- kept must not depend on how empty the tables were when it was made.
set plan_cache_mode = force_generic_plan
set enable_nestloop = off
set enable_seqscan = off
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
      filter (where ops.is_reported(day)), '{}'),
    coalesce(array_agg(day order by day)
      filter (where not ops.is_reported(day)), '{}')
  into reported, others
  from unnest(asked) as day
  left join ops.windows as shown on shown.order_date = day
  where shown.silver_version is null or shown.silver_version < version;
  published := cardinality(reported) + cardinality(others);
  skipped := cardinality(asked) - published;
  rows_changed := ops.publish_days(document, reported, true, this_publish)
    + ops.publish_days(document, others, false, this_publish);
  corrections := (
    select count(*) from ops.corrections as made
    where made.publish_id = this_publish
  );
end $$;

-- Days before the watermark that gold shows count as complete from now on.
-- Returns how many became so. A second call does no harm.
create function ops.report_windows(watermark date) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  days date[] := array(
    select order_date from ops.windows
    where reported_at is null and order_date < watermark
  );
begin
  perform ops.lock_days(days);
  update ops.windows set
    reported_at = now(),
    customers_reported_at = case
      when customers_version >= silver_version then now()
    end
  where order_date = any (days) and reported_at is null;
  insert into ops.cursor as known (name, value)
  values ('reported_until', watermark::text)
  on conflict (name) do update set value = excluded.value
  where known.value < excluded.value;
  return cardinality(days);
end $$;

-- Notes that gold shows every change of silver up to a version.
create function ops.advance_cursor(version bigint) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  insert into ops.cursor as known (name, value)
  values ('silver_version', version::text)
  on conflict (name) do update set value = excluded.value
  where known.value::bigint < excluded.value::bigint
$$;

grant execute on function
  ops.publish_windows, ops.report_windows, ops.advance_cursor
to pizza_writer;
