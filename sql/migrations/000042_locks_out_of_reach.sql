-- Locks of publishing are rows that only publishing can lock. Advisory locks can
-- be taken by every login, so a reader could hold up a publish for any time.
-- Unlogged: the rows say nothing, so no backup holds them.
create unlogged table ops.locks (
  kind text not null,
  key integer not null,
  primary key (kind, key)
);
comment on table ops.locks is
  'Rows that publishing locks, so that two publishes of a day take turns';
comment on column ops.locks.kind is 'day, month or customers';
comment on column ops.locks.key is
  'Days from 2000-01-01 to the day or to the first of the month; 0 for customers';
revoke all on ops.locks from pizza_reader, pizza_writer;

-- Locks rows until the transaction ends, in ascending order.
create function ops.take_locks(wanted text, keys integer[]) returns void
language plpgsql
set lock_timeout = '2min'
as $$
begin
  insert into ops.locks (kind, key)
  select wanted, one from unnest(keys) as one order by one
  on conflict do nothing;
  perform from ops.locks
  where kind = wanted and key = any (keys)
  order by key
  for update;
exception when lock_not_available then
  raise exception
    'another session has held the locks of publishing for two minutes (%): let it end, or end it with pg_terminate_backend',
    coalesce(
      (
        select string_agg(
          format('process %s of %s, %s', pid, usename, application_name), '; '
        )
        from pg_stat_activity as session
        where pid <> pg_backend_pid()
          and exists (
            select from pg_locks as held
            where held.pid = session.pid and held.granted
              and held.relation = 'ops.locks'::regclass
          )
          and not exists (
            select from pg_locks as awaited
            where awaited.pid = session.pid and not awaited.granted
          )
      ),
      'it has ended since'
    )
    using errcode = 'lock_not_available';
end $$;
comment on function ops.take_locks is
  'Locks rows of ops.locks; names the session that does not let them go';

create or replace function ops.lock_days(days date[]) returns void
language plpgsql as $$
begin
  -- A snapshot older than the lock would show the facts of before the wait.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'transaction isolation is %: publish at read committed',
      current_setting('transaction_isolation');
  end if;
  perform ops.take_locks('day', array(
    select distinct day - date '2000-01-01' from unnest(days) as day
  ));
end $$;

create or replace function ops.lock_months(first_day date, last_day date)
returns void
language plpgsql as $$
begin
  perform ops.take_locks('month', array(
    select month::date - date '2000-01-01'
    from generate_series(
      facts.month_of(first_day)::timestamp, last_day::timestamp, interval '1 month'
    ) as month
  ));
end $$;

create or replace function ops.publish_customer_segments(version bigint)
returns integer
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set enable_nestloop = off
as $$
declare
  rows_changed integer;
begin
  perform ops.take_locks('customers', array[0]);
  perform ops.begin_changes('{}', version, false, null);
  rows_changed := ops.refresh_customer_segments(null, null, version);
  perform ops.end_changes();
  return rows_changed;
end $$;
