-- When rows per customer were last published: a function that starts anew for
-- every run has no memory of its own.
create function ops.note_customers_published(published_at timestamptz)
returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  insert into ops.cursor as known (name, value)
  values (
    'customers_published_at',
    to_char(published_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
  )
  on conflict (name) do update set value = excluded.value
  where known.value < excluded.value
$$;
comment on function ops.note_customers_published is
  'Notes when rows per customer were published; an earlier time changes nothing';
comment on column ops.cursor.name is
  'silver_version: gold shows every change of silver up to it;
reported_until: days before this date were reported;
customers_published_at: when rows per customer were last published';
comment on column ops.cursor.value is 'A version, a date, or a time';

grant execute on function ops.note_customers_published to pizza_writer;
