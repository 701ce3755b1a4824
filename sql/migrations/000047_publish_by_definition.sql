-- Publishing and checking, for the facts and the tables that are registered.
drop function ops.note_windows(date[], bigint, boolean);
create function ops.note_windows(
  days date[], version bigint, correcting boolean, lacks_facts boolean
) returns void
language sql as $$
  insert into ops.windows as known (
    order_date, silver_version, order_lines, revenue_cents, content_hash,
    first_published_at, published_at, publish_count,
    reported_at, customers_reported_at, is_due
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
    case when correcting then now() end,
    lacks_facts
  from unnest(days) as day
  left join facts.day_totals as total on total.order_date = day
  on conflict (order_date) do update set
    silver_version = excluded.silver_version,
    order_lines = excluded.order_lines,
    revenue_cents = excluded.revenue_cents,
    content_hash = excluded.content_hash,
    published_at = excluded.published_at,
    publish_count = known.publish_count + 1,
    is_due = excluded.is_due
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
  perform ops.replace_facts(document, days, version);
  -- An earlier release does not know every fact.
  perform ops.note_windows(days, version, correcting, exists (
    select from definitions.facts
    where published_with = 'days' and not is_retired
      and not document ? split_part(name, '.', 2)
  ));
  rows_changed := ops.refresh_gold(days, version);
  perform ops.end_changes();
  return rows_changed;
end $$;

create or replace function ops.replace_customer_facts(document jsonb, days date[])
returns void
language plpgsql as $$
declare
  months date[] := array(
    select distinct facts.month_of(day) from unnest(days) as day
  );
begin
  perform ops.refresh_customer_days(document, days, null);
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

create or replace function ops.publish_customer_days(
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
  rows_changed := ops.refresh_counted(first_day, last_day, version);
  if correcting then
    rows_changed := rows_changed
      + ops.refresh_customer_segments(first_day, last_day, version);
  end if;
  perform ops.end_changes();
  return rows_changed;
end $$;

create or replace function ops.gold_offenders()
returns table (table_name text, example text)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC' set datestyle = 'ISO' as $$
declare
  target record;
begin
  for target in
    select
      known.name,
      format(
        'select * from facts.%I(''2000-01-01'', ''2199-12-31'')',
        split_part(known.name, '.', 2)
      ) as expected
    from definitions.gold_tables as known
    union all
    values
      ('facts.month_items', 'select
        facts.month_of(order_date) as month, pizza_id,
        max(pizza_type_id) as pizza_type_id, max(name) as name,
        max(category) as category, max(size) as size,
        sum(orders) as orders, sum(type_orders) as type_orders,
        sum(category_orders) as category_orders, sum(size_orders) as size_orders,
        sum(pizzas) as pizzas, sum(revenue_cents) as revenue_cents,
        sum(cost_cents) as cost_cents
        from facts.day_items group by 1, 2'),
      ('facts.month_customers', 'select
        month, count(distinct customer_key) as customers
        from (
          select month from facts.month_customers
          union select facts.month_of(order_date) from facts.customer_days
        ) as months
        left join facts.customer_days on facts.month_of(order_date) = month
        group by 1'),
      ('facts.month_city_customers', 'select
        facts.month_of(order_date) as month, state, city,
        count(distinct customer_key) as customers
        from facts.customer_days group by 1, 2, 3')
    order by name
  loop
    return query
    select target.name, difference
    from ops.table_differences(target.name::regclass, target.expected) as difference;
  end loop;
end $$;

-- A day that is due lacks facts, and is published again anyway: it is left out.
create or replace function ops.fact_offenders(document jsonb)
returns table (table_name text, example text)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC' set datestyle = 'ISO' as $$
declare
  days date[] := array(
    select day::date from jsonb_array_elements_text(document -> 'windows') as day
    where not exists (
      select from ops.windows where order_date = day::date and is_due
    )
  );
  fact record;
begin
  for fact in
    select name, split_part(name, '.', 2) as key from definitions.facts
    where not is_retired order by place
  loop
    continue when not document ? fact.key;
    return query
    select fact.name, difference
    from ops.table_differences(
      fact.name::regclass,
      format('select * from facts.%I($1) where order_date = any ($2)', fact.key),
      'order_date = any ($2)',
      document, days
    ) as difference;
  end loop;
end $$;

create or replace function ops.gold_shape_offenders()
returns table (table_name text, example text)
language sql stable security definer
set search_path = pg_catalog, pg_temp as $$
  with
  registered as (
    select name from definitions.gold_tables
    union all
    select name from definitions.facts where name like 'gold.%'
  ),
  defined as (
    select
      registered.name,
      made.proargnames,
      made.proallargtypes,
      made.proargmodes,
      refresh.prosrc,
      string_to_array(
        substring(refresh.prosrc from 'on conflict \((.*?)\) do update'), ', '
      ) as key
    from registered
    join pg_proc as made
      on made.proname = split_part(registered.name, '.', 2)
        and made.pronamespace = 'facts'::regnamespace
    join pg_proc as refresh
      on refresh.proname = 'refresh_' || made.proname
        and refresh.pronamespace = 'ops'::regnamespace
  ),
  tables as (
    select defined.*, to_regclass(name) as target
    from defined
  ),
  expected as (
    select name, target, proargnames[place] as column_name,
      format_type(proallargtypes[place], null) as type
    from tables cross join generate_subscripts(proargnames, 1) as place
    where proargmodes[place] = 't'
    union all
    select name, target, made.column_name, made.type
    from tables cross join (values
      ('silver_version', 'bigint'),
      ('published_at', 'timestamp with time zone')
    ) as made (column_name, type)
    -- A table of the catalog does not depend on silver.
    where tables.prosrc like '%' || made.column_name || ' = excluded.%'
  )
  select name, 'the table is missing'
  from tables where target is null
  union all
  select
    name,
    case
      when attname is null then format('the column %s is missing', column_name)
      else format('the column %s is %s for %s', column_name, format_type(atttypid, null), type)
    end
  from expected
  left join pg_attribute
    on attrelid = target and attname = column_name and not attisdropped
  where target is not null
    and (attname is null or format_type(atttypid, null) <> type)
  union all
  select
    name,
    format('the primary key (%s) is missing', array_to_string(key, ', '))
  from tables
  where target is not null and ops.key_columns(target) is distinct from key
  order by 1, 2
$$;

create or replace function ops.rebuild_differences(document jsonb, most_rows integer)
returns table (
  table_name text, day text, key text, column_name text,
  published text, rebuilt text
)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC' set datestyle = 'ISO' as $$
#variable_conflict use_column
declare
  days date[] := array(
    select day::date from jsonb_array_elements_text(document -> 'windows') as day
  );
  counted date[] := array(
    select day::date
    from jsonb_array_elements_text(document -> 'customer_windows') as day
  );
  found jsonb := '[]';
  target record;
begin
  perform ops.lock_days(days || counted);
  perform ops.lock_months(min(day), max(day)) from unnest(days || counted) as day;
  begin
    if cardinality(days) > 0 then
      perform ops.replace_facts(document, days, 0);
      perform ops.replace_month_items(
        (select facts.month_of(min(day)) from unnest(days) as day),
        (
          select (facts.month_of(max(day)) + interval '1 month - 1 day')::date
          from unnest(days) as day
        )
      );
    end if;
    if cardinality(counted) > 0 then
      perform ops.replace_customer_facts(document, counted);
    end if;
    for target in
      select name, split_part(name, '.', 2) as short
      from definitions.gold_tables order by name
    loop
      found := found || coalesce((
        select jsonb_agg(to_jsonb(cell) || jsonb_build_object('table_name', target.name))
        from (
          select * from ops.cell_differences(
            target.name::regclass,
            format('select * from facts.%I(''2000-01-01'', ''2199-12-31'')', target.short)
          ) as cell
          order by cell.day, cell.key, cell.column_name
          limit most_rows
        ) as cell
      ), '[]');
    end loop;
    -- Undoes the facts; what was found stays in its variable.
    raise exception using errcode = 'PZ001', message = 'on trial';
  exception when sqlstate 'PZ001' then
    null;
  end;
  return query
  select cell.*
  from jsonb_to_recordset(found) as cell (
    table_name text, day text, key text, column_name text,
    published text, rebuilt text
  )
  limit most_rows;
end $$;

-- What a backup of an earlier release does not have: tables that the facts make are
-- filled, and facts that are missing make the days due.
create function ops.adopt_backup(restored text[]) returns void
language plpgsql as $$
declare
  target record;
begin
  perform set_config('pizza.corrections', 'off', true);
  for target in
    select split_part(name, '.', 2) as short from definitions.gold_tables
    where name <> all (restored) order by place
  loop
    execute format('select ops.refresh_%I($1, $2, $3)', target.short)
    using date '2000-01-01', date '2199-12-31',
      (select coalesce(max(silver_version), 0) from ops.windows);
  end loop;
  perform set_config('pizza.corrections', '', true);
  if exists (
    select from definitions.facts where not is_retired and name <> all (restored)
  ) then
    perform ops.mark_days_due();
  end if;
end $$;
comment on function ops.adopt_backup is
  'Fills the tables of gold that a restored backup does not have, and makes every day
due where it lacks a fact; the names are those of the tables that it has';
