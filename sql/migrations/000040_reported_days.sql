-- A day is reported when it is over in all stores and nothing of it is under way; a
-- month is reported when its last day is. Days of a replay or an import (`history`
-- in the document) were never shown as empty, so their first publish corrects
-- nothing.
create or replace function ops.log_correction() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  before jsonb := case when tg_op = 'INSERT' then '{}' else to_jsonb(old) end;
  after jsonb := case when tg_op = 'DELETE' then '{}' else to_jsonb(new) end;
  whole jsonb := after || before;
  by_hand boolean := current_setting('pizza.corrections', true)
    is distinct from 'on';
  day date := whole ->> 'order_date';
  row_month date := whole ->> 'month';
begin
  if day is not null and not exists (
    select from ops.windows where order_date = day and reported_at is not null
  ) then
    return null;
  end if;
  if row_month is not null and not exists (
    select from ops.cursor
    where name = 'reported_until'
      and value::date >= row_month + interval '1 month'
  ) then
    return null;
  end if;
  insert into ops.corrections (
    publish_id, table_name, key, column_name, old_value, new_value,
    order_date, month, silver_version, cause
  )
  select
    case when not by_hand then current_setting('pizza.publish_id')::bigint end,
    tg_table_schema || '.' || tg_table_name,
    (select jsonb_object_agg(k, whole -> k) from unnest(tg_argv) as k),
    name,
    before ->> name,
    after ->> name,
    day,
    row_month,
    case
      when by_hand then (whole ->> 'silver_version')::bigint
      else current_setting('pizza.silver_version')::bigint
    end,
    case
      when by_hand then 'manual edit by ' || session_user
      else current_setting('pizza.cause')
    end
  from jsonb_object_keys(whole) as name
  where name <> all (tg_argv || array['silver_version', 'published_at'])
    and before ->> name is distinct from after ->> name
  order by name;
  return null;
end $$;

drop function ops.note_windows(date[], bigint);
create function ops.note_windows(days date[], version bigint, correcting boolean) returns void
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
    case when correcting then now() end,
    case when correcting then now() end
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

create or replace function ops.publish_days(
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
  perform ops.note_windows(days, version, correcting);
  rows_changed := ops.refresh_gold(days, version);
  perform ops.end_changes();
  return rows_changed;
end $$;

create or replace function ops.publish_windows(
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
  history date[] := array(
    select day::date
    from jsonb_array_elements_text(coalesce(document -> 'history', '[]')) as day
  );
  reported date[];
  others date[];
  this_publish bigint := nextval('ops.publish_id');
begin
  perform ops.lock_days(asked);
  select
    coalesce(array_agg(day order by day)
      filter (where is_correction), '{}'),
    coalesce(array_agg(day order by day)
      filter (where not is_correction), '{}')
  into reported, others
  from unnest(asked) as day
  left join ops.windows as shown on shown.order_date = day
  cross join lateral (
    select
      ops.is_reported(day)
      and not (shown.order_date is null and day = any (history)) as is_correction
  ) as kind
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
