-- Tables of gold that are not as they were defined. What is right is read from
-- the functions that ops.define_gold_table made: facts.<table> has its columns,
-- ops.refresh_<table> its key.
create function ops.gold_shape_offenders()
returns table (table_name text, example text)
language sql stable security definer
set search_path = pg_catalog, pg_temp as $$
  with
  defined as (
    select
      made.proname::text as name,
      made.proargnames,
      made.proallargtypes,
      made.proargmodes,
      string_to_array(
        substring(refresh.prosrc from 'on conflict \((.*?)\) do update'), ', '
      ) as key
    from pg_proc as made
    join pg_proc as refresh
      on refresh.proname = 'refresh_' || made.proname
        and refresh.pronamespace = 'ops'::regnamespace
    where made.pronamespace = 'facts'::regnamespace
  ),
  tables as (
    select defined.*, to_regclass(format('gold.%I', name)) as target
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
  )
  select 'gold.' || name, 'the table is missing'
  from tables where target is null
  union all
  select
    'gold.' || name,
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
    'gold.' || name,
    format('the primary key (%s) is missing', array_to_string(key, ', '))
  from tables
  where target is not null and ops.key_columns(target) is distinct from key
  order by 1, 2
$$;
comment on function ops.gold_shape_offenders is
  'Tables of gold that are missing, and columns and keys that differ from their
definition, one row each';

grant execute on function ops.gold_shape_offenders to pizza_reader, pizza_writer;
