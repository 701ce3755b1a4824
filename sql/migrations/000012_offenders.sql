-- What in gold is not what it should be. Nothing here writes.
-- Compares two queries by their key: one line of text per row that differs, its
-- key and each differing cell as it is and as it should be. The queries may use
-- a document as $1 and days as $2.
create function ops.row_differences(
  actual text, expected text, key_columns text[],
  document jsonb default null, days date[] default null
) returns setof text
language plpgsql stable as $$
declare
  key text := (
    select string_agg(format('row_of.%I', name), ', ') from unnest(key_columns) as name
  );
begin
  return query execute format(
    'with
    actual as (
      select
        concat_ws('', '', %1$s) as key,
        to_jsonb(row_of) - ''silver_version'' - ''published_at'' as cells
      from (%2$s) as row_of
    ),
    expected as (
      select concat_ws('', '', %1$s) as key, to_jsonb(row_of) as cells
      from (%3$s) as row_of
    )
    select key || '': '' || case
      when actual.cells is null then ''the row is missing''
      when expected.cells is null then ''the row should not be there''
      else (
        select string_agg(
          format(
            ''%%s is %%s for %%s'', name,
            coalesce(actual.cells ->> name, ''null''),
            coalesce(expected.cells ->> name, ''null'')
          ),
          '', '' order by name
        )
        from jsonb_object_keys(expected.cells) as name
        where actual.cells -> name is distinct from expected.cells -> name
      )
    end
    from actual full join expected using (key)
    where actual.cells is distinct from expected.cells
    order by key',
    key, actual, expected
  ) using document, days;
end $$;

create function ops.key_columns(target regclass) returns text[]
language sql stable as $$
  select array_agg(attname::text order by array_position(indkey::int2[], attnum))
  from pg_index join pg_attribute on attrelid = indrelid and attnum = any (indkey)
  where indrelid = target and indisprimary
$$;

-- Rows of gold that are not what the facts make of them, and of the facts per
-- month that are not what the facts per day make of them.
create function ops.gold_offenders()
returns table (table_name text, example text)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC' set datestyle = 'ISO' as $$
declare
  target record;
begin
  for target in
    select
      'gold.' || relname as name,
      format('select * from facts.%I(''2000-01-01'', ''2199-12-31'')', relname)
        as expected
    from pg_class
    where relnamespace = 'gold'::regnamespace and relkind = 'r'
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
    from ops.row_differences(
      'select * from ' || target.name, target.expected, ops.key_columns(target.name)
    ) as difference;
  end loop;
end $$;

-- Rows of the facts per day that are not those of the document, for its windows
-- and its tables; the document is one that a publish would take.
create function ops.fact_offenders(document jsonb)
returns table (table_name text, example text)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC' set datestyle = 'ISO' as $$
declare
  days date[] := array(
    select day::date from jsonb_array_elements_text(document -> 'windows') as day
  );
  name text;
begin
  foreach name in array array[
    'day_totals', 'day_hours', 'day_items', 'day_stores', 'customer_days'
  ] loop
    continue when not document ? name;
    return query
    select 'facts.' || name, difference
    from ops.row_differences(
      format('select * from facts.%I where order_date = any ($2)', name),
      format(
        'select * from jsonb_populate_recordset(null::facts.%I, $1 -> %L)', name, name
      ),
      ops.key_columns(format('facts.%I', name)::regclass),
      document, days
    ) as difference;
  end loop;
end $$;

grant execute on function ops.gold_offenders, ops.fact_offenders
to pizza_reader, pizza_writer;
