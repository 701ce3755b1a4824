-- Copying gold, its facts and its ledgers out and in, table by table. Whoever
-- copies asks within one transaction that sees one moment.
-- What is copied: every table but those that the program fills by itself.
create function ops.backup_tables() returns table (table_name text)
language sql stable as $$
  select format('%I.%I', nspname, relname)
  from pg_class join pg_namespace on relnamespace = pg_namespace.oid
  where nspname in ('gold', 'facts', 'ops')
    and relkind = 'r' and relpersistence = 'p'
    and (nspname, relname) <> ('ops', 'migrations')
  order by 1
$$;
comment on function ops.backup_tables is
  'Tables that a backup holds, in order: all of gold, facts and ops but the list
of migrations and what is on its way';

create function ops.backup_columns(target regclass) returns text[]
language sql stable as $$
  select array_agg(attname::text order by attname collate "C")
  from pg_attribute
  where attrelid = target and attnum > 0 and not attisdropped
    and attgenerated = ''
$$;
comment on function ops.backup_columns is 'Columns of a table that a backup holds';

-- A row is one line of JSON. Answers of the RDS Data API hold 1 MiB and rows of
-- 64 kB, so a page ends after most_bytes and long lines come in parts.
create function ops.backup_page(table_name text, after jsonb, most_bytes integer)
returns table (line integer, part integer, body text)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC' set datestyle = 'ISO' as $$
declare
  target regclass := table_name;
  key text[] := ops.key_columns(target);
  names text := (select string_agg(format('%I', name), ', ') from unnest(key) as name);
begin
  if table_name not in (select known.table_name from ops.backup_tables() as known) then
    raise exception '% is no table of a backup', target;
  end if;
  return query execute format(
    'with
    next_rows as (
      select to_jsonb(row_of)::text as text, row_number() over (order by %1$s) as line
      from %2$s as row_of where %3$s order by %1$s limit 5000
    ),
    sized as (
      select *, sum(octet_length(text)) over (order by line) as upto from next_rows
    )
    select line::integer, part, substr(text, part * 15000 + 1, 15000)
    from sized cross join lateral generate_series(0, (length(text) - 1) / 15000) as part
    where line = 1 or upto <= $1
    order by line, part',
    names, target,
    case when after is null then 'true' else format(
      '(%s) > (%s)', names,
      (select string_agg(format('%L', after ->> name), ', ' order by place)
       from unnest(key) with ordinality as k (name, place))
    ) end
  ) using most_bytes;
end $$;
comment on function ops.backup_page is
  'Rows of a table as lines of JSON in the order of its key, from the row after
one on; of a long line the parts follow each other';

create function ops.table_hash(
  target regclass, columns text[], out row_count bigint, out hash text
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC' set datestyle = 'ISO' as $$
declare
  others text[] := array(
    select name from unnest(ops.backup_columns(target)) as name
    where name <> all (columns)
  );
begin
  execute format(
    'select count(*), md5(coalesce(string_agg(line, '''' order by line collate "C"), ''''))
    from (select md5((to_jsonb(row_of) - $1)::text) as line from %s as row_of) as lines',
    target
  ) into row_count, hash using others;
end $$;
comment on function ops.table_hash is
  'Rows of a table, and a hash of what they say in these columns: the MD5 of the
MD5s of their lines in a backup, sorted and joined';

-- What a backup says of each table, and where its sequences stand.
create function ops.backup_contents()
returns table (table_name text, columns text[], row_count bigint, hash text)
language sql stable security definer
set search_path = pg_catalog, pg_temp as $$
  select
    tables.table_name,
    ops.backup_columns(tables.table_name::regclass),
    hashed.row_count,
    hashed.hash
  from ops.backup_tables() as tables
  cross join lateral ops.table_hash(
    tables.table_name::regclass,
    ops.backup_columns(tables.table_name::regclass)
  ) as hashed
$$;
comment on function ops.backup_contents is
  'What a backup made now would hold, one row per table';

create function ops.backup_sequences()
returns table (sequence_name text, last_value bigint)
language sql stable security definer
set search_path = pg_catalog, pg_temp as $$
  select
    format('%I.%I', schemaname, sequencename),
    pg_sequence_last_value(
      format('%I.%I', schemaname, sequencename)::regclass
    )
  from pg_sequences where schemaname in ('gold', 'facts', 'ops') order by 1
$$;
comment on function ops.backup_sequences is
  'Last number that each sequence gave; null where it gave none';

-- Restoring is the owner's: nobody else may write to gold past a publish.
create function ops.restore_rows(target regclass, content jsonb)
returns integer
language plpgsql
set timezone = 'UTC' set datestyle = 'ISO' as $$
declare
  columns text := (
    select string_agg(format('%I', name), ', ')
    from jsonb_object_keys(content -> 0) as name
  );
  written integer;
begin
  if jsonb_array_length(content) = 0 then
    return 0;
  end if;
  -- An answer that got lost makes the Data API send a page again.
  execute format(
    'insert into %1$s (%2$s) overriding system value
    select %2$s from jsonb_populate_recordset(null::%1$s, $1)
    on conflict do nothing',
    target, columns
  ) using content;
  get diagnostics written = row_count;
  return written;
end $$;
comment on function ops.restore_rows is
  'Writes rows of a backup, a JSON array of objects with the table''s columns';

-- Room to try a backup in: a table of the same form for each one that it holds.
create function ops.open_trial(schema_name text) returns void
language plpgsql as $$
declare
  name text;
begin
  execute format('create schema %I', schema_name);
  for name in select table_name from ops.backup_tables() loop
    execute format(
      'create table %I.%I (like %s including all)',
      schema_name, name, name
    );
  end loop;
end $$;
comment on function ops.open_trial is
  'Makes a schema with an empty table, named as the whole name of the original,
for each table of a backup. For a transaction that is undone';

grant execute on function
  ops.backup_page, ops.backup_contents, ops.backup_sequences
to pizza_writer;
