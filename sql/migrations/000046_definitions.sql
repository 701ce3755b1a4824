-- The registry of what gold is made of. A fact of a day, or a table of gold, is a
-- row here: ops.define_fact and ops.define_gold_table write it, and generate every
-- function that has to know all facts or all tables. Generated here and not executed
-- as text later: a publish is a few milliseconds only while its plans are kept.
create schema definitions;
comment on schema definitions is
  'Registry of the facts and tables that gold is made of; migrations fill it';

create table definitions.facts (
  name text primary key,
  place integer generated always as identity,
  published_with text not null check (published_with in ('days', 'customers')),
  is_retired boolean not null default false,
  definition text not null
);
comment on table definitions.facts is
  'Tables that a publish fills from its document, one row each';
comment on column definitions.facts.name is
  'The table; its rows are in the document under its name without the schema';
comment on column definitions.facts.place is 'Order in which they are filled';
comment on column definitions.facts.published_with is
  'days: published with the day; customers: later, with the rows by customer';
comment on column definitions.facts.is_retired is
  'Only earlier releases publish it: a publish of this one removes its rows';
comment on column definitions.facts.definition is
  'Query that reads the rows of the table from a document';

create table definitions.gold_tables (
  name text primary key,
  place integer generated always as identity,
  reach text not null check (reach in (
    'days', 'running days', 'months', 'months and the next', 'customers',
    'calendar', 'catalog'
  )),
  has_customers boolean not null,
  definition text not null
);
comment on table definitions.gold_tables is
  'Tables of gold that are computed from the facts, one row each';
comment on column definitions.gold_tables.name is 'The table';
comment on column definitions.gold_tables.place is 'Order in which they are refreshed';
comment on column definitions.gold_tables.reach is
  'Which rows a published day changes. days: its own; running days: up to six days
later and to the end of its month; months: of its month; months and the next: also
of the month after; customers: all, with the rows by customer; calendar: of its year;
catalog: none, the table follows the menu and the stores';
comment on column definitions.gold_tables.has_customers is
  'Whether a column counts customers, so that the months are refreshed again later';
comment on column definitions.gold_tables.definition is
  'Query that computes the rows between first_day and last_day from the facts';

-- A day that has to be published although silver has not changed it: its facts lack a
-- table. Rows that an earlier release writes, or that come from its backup, are such days.
alter table ops.windows add column is_due boolean not null default true;
comment on column ops.windows.is_due is
  'Whether the day is to be published again at the next run, because facts of it are missing';

comment on column ops.windows.content_hash is
  'MD5 of the rows of the day in the schema facts: equal facts, equal hash';

create function ops.columns_of(target regclass, without text[] default '{}')
returns text[]
language sql stable as $$
  select array_agg(attname::text order by attnum)
  from pg_attribute
  where attrelid = target and attnum > 0 and not attisdropped
    and attname <> all (array['silver_version', 'published_at'] || without)
$$;
comment on function ops.columns_of is
  'Columns of a table, without those that tell of the publish and without some others';

-- What both definitions generate: a function with the rows as they must be, and the
-- statement that brings the table to them and writes only rows that differ.
create function ops.rows_signature(target regclass) returns text
language sql stable as $$
  select string_agg(
    format('%I %s', attname, format_type(atttypid, null)), ', ' order by attnum
  )
  from pg_attribute
  where attrelid = target and attname = any (ops.columns_of(target))
$$;

create function ops.write_statement(target regclass, fresh text, scope text)
returns text
language plpgsql stable as $$
declare
  keys text[] := ops.key_columns(target);
  columns text[] := ops.columns_of(target);
  cells text[] := ops.columns_of(target, keys);
  -- silver_version and published_at, where the table has them.
  stamps text[] := array(
    select attname::text from pg_attribute
    where attrelid = target and attname in ('silver_version', 'published_at')
    order by attnum
  );
begin
  -- Both sides are read once; the rows that are no longer there are found by their
  -- place, because joins by key would read the whole scope again.
  return format(
    'with
      compared as materialized (
        select fresh.*, old.ctid as old_place
        from (select true as is_fresh, made.* from (%1$s) as made) as fresh
        full join (select ctid, %2$s from %3$s as old where %4$s) as old using (%5$s)
        where row(%6$s) is distinct from row(%7$s)
      ),
      gone as (
        delete from %3$s
        where ctid = any (array(select old_place from compared where is_fresh is null))
        returning 1
      ),
      written as (
        insert into %3$s (%8$s)
        select %9$s from compared where is_fresh
        on conflict (%5$s) do update set %10$s
        returning 1
      )
    select (select count(*) from gone) + (select count(*) from written)
    into rows_changed;',
    fresh,
    (select string_agg(format('%I', name), ', ') from unnest(columns) as name),
    target,
    scope,
    (select string_agg(format('%I', name), ', ') from unnest(keys) as name),
    (select string_agg(format('fresh.%I', name), ', ') from unnest(keys || cells) as name),
    (select string_agg(format('old.%I', name), ', ') from unnest(keys || cells) as name),
    (select string_agg(format('%I', name), ', ') from unnest(columns || stamps) as name),
    concat_ws(
      ', ',
      (select string_agg(format('%I', name), ', ') from unnest(columns) as name),
      case when 'silver_version' = any (stamps) then 'version' end,
      case when 'published_at' = any (stamps) then 'now()' end
    ),
    (
      select string_agg(format('%1$I = excluded.%1$I', name), ', ')
      from unnest(cells || stamps) as name
    )
  );
end $$;
comment on function ops.write_statement is
  'Text of the statement that makes the rows of a table within a scope those of a
query, and writes only rows that differ';

-- The functions that know all facts and all tables.
create function ops.generate_publishing() returns void
language plpgsql as $define$
declare
  refreshes text := (
    select string_agg(
      format(
        'ops.refresh_%I(%s, version)', split_part(name, '.', 2),
        case reach
          when 'days' then 'first_day, last_day'
          when 'running days' then 'first_day, greatest(month_end, last_day + 6)'
          when 'months' then 'month, month_end'
          when 'months and the next' then 'month, next_end'
        end
      ),
      e'\n    + ' order by place
    )
    from definitions.gold_tables
    where reach in ('days', 'running days', 'months', 'months and the next')
  );
  counted text := (
    select string_agg(
      format('ops.refresh_%I(first_day, last_day, version)', split_part(name, '.', 2)),
      e'\n    + ' order by place
    )
    from definitions.gold_tables where has_customers
  );
  replaced text := (
    select string_agg(
      format('ops.refresh_%I(document, days, version)', split_part(name, '.', 2)),
      e'\n    + ' order by place
    )
    from definitions.facts where published_with = 'days'
  );
  -- The facts that readers see are compared with silver row by row, and are too many to
  -- be hashed with every publish.
  lines text := (
    select string_agg(
      format(
        'select row(%s)::text as line from %s as f where order_date = day',
        (
          select string_agg(format('f.%I', column_name), ', ')
          from unnest(ops.columns_of(name::regclass)) as column_name
        ),
        name
      ),
      e'\n    union all\n    ' order by place
    )
    from definitions.facts where published_with = 'days' and name like 'facts.%'
  );
  shown text := (
    select string_agg(
      format(
        'select %L as table_name, jsonb_build_object(%s) as key, to_jsonb(t) as cells from %s as t',
        name,
        (
          select string_agg(format('%L, t.%I', k, k), ', ')
          from unnest(ops.key_columns(name::regclass)) as k
        ),
        name
      ),
      ' union all ' order by name
    )
    from definitions.gold_tables where reach not in ('calendar', 'catalog')
  );
begin
  -- Brings every table that the days reach to what the facts say. The month after
  -- is reached too: its growth and its first six days look back.
  execute format(
    'create or replace function ops.refresh_gold(days date[], version bigint)
    returns integer language plpgsql as %L',
    format(
      'declare
        first_day date := (select min(day) from unnest(days) as day);
        last_day date := (select max(day) from unnest(days) as day);
        month date := facts.month_of(first_day);
        month_end date := facts.month_of(last_day) + interval ''1 month - 1 day'';
        next_end date := facts.month_of(last_day) + interval ''2 months - 1 day'';
      begin
        perform ops.lock_months(month, next_end);
        perform ops.replace_month_items(month, month_end);
        return %s;
      end',
      coalesce(refreshes, '0')
    )
  );
  execute format(
    'create or replace function ops.refresh_counted(
      first_day date, last_day date, version bigint
    ) returns integer language plpgsql as %L',
    format('begin return %s; end', coalesce(counted, '0'))
  );
  execute format(
    'create or replace function ops.replace_facts(
      document jsonb, days date[], version bigint
    ) returns integer language plpgsql as %L',
    format('begin return %s; end', coalesce(replaced, '0'))
  );
  execute format(
    'create or replace function ops.hash_of_day(day date) returns text
    language sql stable as %L',
    format(
      'with facts_of_day as (%s)
      select md5(coalesce(string_agg(line, e''\n'' order by line collate "C"), ''''))
      from facts_of_day',
      lines
    )
  );
  execute format(
    'create or replace view gold.restated_values as
    with
    shown as (%s),
    corrected as (
      select
        table_name, key, column_name,
        min(order_date) as order_date,
        min(month) as month,
        (array_agg(old_value order by id))[1] as first_reported,
        count(*)::integer as corrections,
        min(corrected_at) as first_corrected_at,
        max(corrected_at) as last_corrected_at,
        (array_agg(cause order by id desc))[1] as last_cause
      from ops.corrections
      group by table_name, key, column_name
    ),
    compared as (
      select corrected.*, shown.cells ->> corrected.column_name as now_known
      from corrected left join shown using (table_name, key)
    )
    select
      table_name, key, column_name, order_date, month,
      first_reported, now_known,
      case
        when first_reported ~ ''^-?\d+(\.\d+)?$''
          and now_known ~ ''^-?\d+(\.\d+)?$''
        then now_known::numeric - first_reported::numeric
      end as change,
      corrections, first_corrected_at, last_corrected_at, last_cause
    from compared',
    shown
  );
end $define$;
comment on function ops.generate_publishing is
  'Generates the functions and the view that know all facts and all tables of gold';

create function ops.mark_days_due() returns void
language sql as $$ update ops.windows set is_due = true where not is_due $$;
comment on function ops.mark_days_due is
  'Makes every day due for a publish, at the version of silver that it shows';

create function ops.generate_refresh(target regclass) returns void
language plpgsql as $$
declare
  table_name text := (select relname from pg_class where oid = target);
  scope text := coalesce((
    select format('old.%I between first_day and last_day', name)
    from unnest(ops.key_columns(target)) as name
    where name in ('order_date', 'month', 'date')
  ), 'true');
begin
  execute format(
    'create or replace function ops.refresh_%I(
      first_day date, last_day date, version bigint
    ) returns integer language plpgsql as %L',
    table_name,
    format(
      'declare rows_changed integer; begin %s return rows_changed; end',
      ops.write_statement(
        target, format('select * from facts.%I(first_day, last_day)', table_name), scope
      )
    )
  );
end $$;
comment on function ops.generate_refresh is
  'Generates ops.refresh_<table>: it brings a table of gold to what facts.<table> computes,
writes only rows that differ, and returns how many those were';

drop function ops.define_gold_table(regclass, text);
create function ops.define_gold_table(
  target regclass, reach text, definition text, has_customers boolean default false
) returns void
language plpgsql as $define$
#variable_conflict use_variable
declare
  table_name text := (select relname from pg_class where oid = target);
begin
  insert into definitions.gold_tables as known (name, reach, has_customers, definition)
  values (target::text, reach, has_customers, definition)
  on conflict (name) do update set
    reach = excluded.reach,
    has_customers = excluded.has_customers,
    definition = excluded.definition;
  execute format('drop function if exists facts.%I(date, date)', table_name);
  execute format(
    'create function facts.%I(first_day date, last_day date)
    returns table (%s) language sql stable as %L',
    table_name, ops.rows_signature(target), definition
  );
  perform ops.generate_refresh(target);
  if reach not in ('calendar', 'catalog') then
    execute format(
      'create or replace trigger log_correction
      after insert or update or delete on %s for each row
      when (current_setting(''pizza.corrections'', true) is distinct from ''off'')
      execute function ops.log_correction(%s)',
      target,
      (
        select string_agg(quote_literal(name), ', ')
        from unnest(ops.key_columns(target)) as name
      )
    );
  end if;
  perform ops.generate_publishing();
  -- A new table has the rows that the facts make of it, at once and without corrections.
  perform set_config('pizza.corrections', 'off', true);
  execute format('select ops.refresh_%I($1, $2, $3)', table_name)
  using date '2000-01-01', date '2199-12-31',
    (select coalesce(max(silver_version), 0) from ops.windows);
  perform set_config('pizza.corrections', '', true);
end $define$;
comment on function ops.define_gold_table is
  'Registers a table of gold with the query that computes it, generates its functions,
and fills it from the facts';

create function ops.define_fact(
  target regclass, definition text, published_with text default 'days',
  is_retired boolean default false
) returns void
language plpgsql as $define$
#variable_conflict use_variable
declare
  table_name text := (select relname from pg_class where oid = target);
begin
  insert into definitions.facts as known (name, published_with, is_retired, definition)
  values (target::text, published_with, is_retired, definition)
  on conflict (name) do update set
    published_with = excluded.published_with,
    is_retired = excluded.is_retired,
    definition = excluded.definition;
  execute format('drop function if exists facts.%I(jsonb)', table_name);
  execute format(
    'create function facts.%I(document jsonb)
    returns table (%s) language sql stable as %L',
    table_name, ops.rows_signature(target), definition
  );
  execute format(
    'create or replace function ops.refresh_%I(
      document jsonb, days date[], version bigint
    ) returns integer language plpgsql as %L',
    table_name,
    format(
      'declare rows_changed integer; begin %s return rows_changed; end',
      ops.write_statement(
        target,
        format('select * from facts.%I(document) where order_date = any (days)', table_name),
        'old.order_date = any (days)'
      )
    )
  );
  perform ops.generate_publishing();
  perform ops.mark_days_due();
end $define$;
comment on function ops.define_fact is
  'Registers a table that a publish fills with the query that reads its rows from the
document, generates its functions, and makes every day due';

-- What there was before: the tables with the queries that earlier migrations defined.
insert into definitions.gold_tables (name, reach, has_customers, definition)
select 'gold.' || name, known.reach, known.has_customers, prosrc
from (values
  (1, 'daily_sales_summary', 'days', false),
  (2, 'hourly_trends', 'days', false),
  (3, 'monthly_sales_summary', 'months and the next', true),
  (4, 'pizza_performance', 'months', false),
  (5, 'pizza_type_performance', 'months', false),
  (6, 'category_performance', 'months', false),
  (7, 'size_performance', 'months', false),
  (8, 'geographic_sales', 'months', true),
  (9, 'revenue_analytics', 'running days', false),
  (10, 'customer_segments', 'customers', false)
) as known (place, name, reach, has_customers)
join pg_proc on proname = name and pronamespace = 'facts'::regnamespace
order by known.place;
select ops.generate_refresh(name::regclass) from definitions.gold_tables;

drop function ops.replace_facts(jsonb, date[]);

select ops.define_fact('facts.day_totals', $$
  select * from jsonb_populate_recordset(null::facts.day_totals, document -> 'day_totals')
$$);
select ops.define_fact('facts.day_hours', $$
  select * from jsonb_populate_recordset(null::facts.day_hours, document -> 'day_hours')
$$);
select ops.define_fact('facts.day_items', $$
  select * from jsonb_populate_recordset(null::facts.day_items, document -> 'day_items')
$$);
select ops.define_fact('facts.day_stores', $$
  select * from jsonb_populate_recordset(null::facts.day_stores, document -> 'day_stores')
$$);
select ops.define_fact('facts.customer_days', $$
  select * from jsonb_populate_recordset(null::facts.customer_days, document -> 'customer_days')
$$, 'customers');
