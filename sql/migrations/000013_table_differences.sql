-- The offenders again, at a fraction of the cost: rows are compared column by
-- column in their own types, and only those that differ are put into words.
-- One line of text per row of a table that is not what a query makes: its key,
-- and each differing cell as it is and as it should be. The query has at least
-- the table's columns but those that tell of the publish. `scope` limits the
-- table's rows; both may use a document as $1 and days as $2.
create function ops.table_differences(
  target regclass, expected text, scope text default 'true',
  document jsonb default null, days date[] default null
) returns setof text
language plpgsql stable as $$
declare
  key text := (
    select string_agg(format('%I', name), ', ')
    from unnest(ops.key_columns(target)) as name
  );
  columns text[] := array(
    select attname::text from pg_attribute
    where attrelid = target and attnum > 0 and not attisdropped
      and attname not in ('silver_version', 'published_at')
    order by attnum
  );
begin
  return query execute format(
    'with
    actual as (select true as is_there, %2$s from %5$s where %6$s),
    expected as (select true as is_there, %2$s from (%7$s) as made)
    select concat_ws('', '', %1$s) || '': '' || case
      when actual.is_there is null then ''the row is missing''
      when expected.is_there is null then ''the row should not be there''
      else (
        select string_agg(
          format(
            ''%%s is %%s for %%s'', name,
            coalesce(to_jsonb(actual) ->> name, ''null''),
            coalesce(to_jsonb(expected) ->> name, ''null'')
          ),
          '', '' order by name
        )
        from jsonb_object_keys(to_jsonb(expected)) as name
        where to_jsonb(actual) -> name is distinct from to_jsonb(expected) -> name
      )
    end
    from actual full join expected using (%1$s)
    where (%3$s) is distinct from (%4$s)
    order by 1',
    key,
    (select string_agg(format('%I', name), ', ') from unnest(columns) as name),
    (select string_agg(format('actual.%I', name), ', ') from unnest(columns) as name),
    (select string_agg(format('expected.%I', name), ', ') from unnest(columns) as name),
    target, scope, expected
  ) using document, days;
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
    from ops.table_differences(target.name::regclass, target.expected) as difference;
  end loop;
end $$;

create or replace function ops.fact_offenders(document jsonb)
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
    from ops.table_differences(
      format('facts.%I', name)::regclass,
      format(
        'select * from jsonb_populate_recordset(null::facts.%I, $1 -> %L)', name, name
      ),
      'order_date = any ($2)',
      document, days
    ) as difference;
  end loop;
end $$;

drop function ops.row_differences;
