-- One row per table of gold: how many rows it has, and a hash of what they say.
-- Who published them when is left out, so equal numbers hash alike everywhere.
create function ops.gold_hash()
returns table (table_name text, row_count bigint, hash text)
language plpgsql stable
set timezone = 'UTC' set datestyle = 'ISO' as $$
declare
  target record;
begin
  for target in
    select
      relname,
      (
        select string_agg(
          format('row_of.%I', attname), ', '
          order by array_position(indkey::int2[], attnum)
        )
        from pg_attribute where attrelid = indrelid and attnum = any (indkey)
      ) as key
    from pg_class join pg_index on indrelid = pg_class.oid and indisprimary
    where relnamespace = 'gold'::regnamespace
    order by relname
  loop
    return query execute format(
      'select %L, count(*), md5(coalesce(string_agg(
        md5((to_jsonb(row_of) - ''silver_version'' - ''published_at'')::text),
        '''' order by %s), ''''))
      from gold.%I as row_of',
      target.relname, target.key, target.relname
    );
  end loop;
end $$;

grant execute on function ops.gold_hash to pizza_reader, pizza_writer;
