-- Comparing gold with what rebuilt facts make of it, cell by cell, and showing
-- days again at the version that they show.
-- The query has at least the table's columns but those that tell of the publish.
create function ops.cell_differences(target regclass, expected text)
returns table (
  day text, key text, column_name text, published text, rebuilt text
)
language plpgsql stable as $$
#variable_conflict use_column
declare
  keys text[] := ops.key_columns(target);
  columns text[] := array(
    select attname::text from pg_attribute
    where attrelid = target and attnum > 0 and not attisdropped
      and attname not in ('silver_version', 'published_at')
    order by attnum
  );
  names text := (select string_agg(format('%I', name), ', ') from unnest(columns) as name);
  key_list text := (select string_agg(format('%I', name), ', ') from unnest(keys) as name);
begin
  return query execute format(
    'with
    actual as (select true as is_there, %1$s from %5$s),
    expected as (select true as is_there, %1$s from (%6$s) as made),
    different as (
      select
        %2$s,
        actual.is_there as was_there, expected.is_there as will_be,
        to_jsonb(actual) as before, to_jsonb(expected) as after
      from actual full join expected using (%2$s)
      where (%3$s) is distinct from (%4$s)
    )
    select
      %7$s, concat_ws('' '', %2$s), name,
      case when was_there is not null then coalesce(before ->> name, ''there'') end,
      case when will_be is not null then coalesce(after ->> name, ''there'') end
    from different cross join lateral (
      select name from jsonb_object_keys(after) as name
      where was_there and will_be and before -> name is distinct from after -> name
      union all
      select ''*'' where was_there is null or will_be is null
    ) as changed (name)',
    names,
    key_list,
    (select string_agg(format('actual.%I', name), ', ') from unnest(columns) as name),
    (select string_agg(format('expected.%I', name), ', ') from unnest(columns) as name),
    target,
    expected,
    case
      when 'order_date' = any (keys) then 'order_date::text'
      when 'month' = any (keys) then 'month::text'
      else 'null::text'
    end
  );
end $$;
comment on function ops.cell_differences is
  'Cells of a table that are not those that a query makes: * for a whole row,
which is null on the side that does not have it';

create function ops.rebuild_differences(document jsonb, most_rows integer)
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
      perform ops.replace_facts(document, days);
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
      select relname from pg_class
      where relnamespace = 'gold'::regnamespace and relkind = 'r' order by relname
    loop
      found := found || coalesce((
        select jsonb_agg(to_jsonb(cell) || jsonb_build_object(
          'table_name', 'gold.' || target.relname
        ))
        from (
          select * from ops.cell_differences(
            format('gold.%I', target.relname)::regclass,
            format('select * from facts.%I(''2000-01-01'', ''2199-12-31'')', target.relname)
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
comment on function ops.rebuild_differences is
  'Cells of gold that are not what these facts would make of them; the document
is as for a publish, with the days of its rows per customer in customer_windows.
Changes nothing';

create function ops.republish_windows(
  document jsonb,
  out published integer, out skipped integer,
  out rows_changed integer, out corrections integer
)
language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
declare
  version bigint := document ->> 'silver_version';
  asked date[] := array(
    select distinct day::date
    from jsonb_array_elements_text(document -> 'windows') as day
  );
begin
  perform ops.lock_days(asked);
  update ops.windows set silver_version = version - 1
  where order_date = any (asked) and silver_version = version;
  select done.published, done.skipped, done.rows_changed, done.corrections
  into published, skipped, rows_changed, corrections
  from ops.publish_windows(document) as done;
end $$;
comment on function ops.republish_windows is
  'As ops.publish_windows, for days that are shown at this very version too; an
older version never wins. Nobody sees a version in between';

create function ops.republish_customers(
  document jsonb,
  out published integer, out skipped integer,
  out rows_changed integer, out corrections integer
)
language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
declare
  version bigint := document ->> 'silver_version';
  asked date[] := array(
    select distinct day::date
    from jsonb_array_elements_text(document -> 'windows') as day
  );
begin
  perform ops.lock_days(asked);
  update ops.windows set customers_version = version - 1
  where order_date = any (asked) and customers_version = version;
  select done.published, done.skipped, done.rows_changed, done.corrections
  into published, skipped, rows_changed, corrections
  from ops.publish_customers(document) as done;
end $$;
comment on function ops.republish_customers is
  'As ops.publish_customers, for days whose rows per customer show this very
version too';

grant execute on function
  ops.rebuild_differences, ops.republish_windows, ops.republish_customers
to pizza_writer;
