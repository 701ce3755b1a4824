-- Writes ops.corrections. A publish says by the setting pizza.corrections
-- whether the days it shows anew were reported before (on) or are filling up
-- (off); without it the change was made by hand.
create function ops.log_correction() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  before jsonb := case when tg_op = 'INSERT' then '{}' else to_jsonb(old) end;
  after jsonb := case when tg_op = 'DELETE' then '{}' else to_jsonb(new) end;
  whole jsonb := after || before;
  by_hand boolean := current_setting('pizza.corrections', true)
    is distinct from 'on';
  day date := whole ->> 'order_date';
  row_month date := whole ->> 'month';
begin
  if day is not null and not exists (
    select from ops.windows where order_date = day and reported_at is not null
  ) then
    return null;
  end if;
  if by_hand and row_month is not null and not exists (
    select from ops.windows
    where reported_at is not null and order_date >= row_month
      and order_date < row_month + interval '1 month'
  ) then
    return null;
  end if;
  insert into ops.corrections (
    publish_id, table_name, key, column_name, old_value, new_value,
    order_date, month, silver_version, cause
  )
  select
    case when not by_hand then current_setting('pizza.publish_id')::bigint end,
    tg_table_schema || '.' || tg_table_name,
    (select jsonb_object_agg(k, whole -> k) from unnest(tg_argv) as k),
    name,
    before ->> name,
    after ->> name,
    day,
    row_month,
    case
      when by_hand then (whole ->> 'silver_version')::bigint
      else current_setting('pizza.silver_version')::bigint
    end,
    case
      when by_hand then 'manual edit by ' || session_user
      else current_setting('pizza.cause')
    end
  from jsonb_object_keys(whole) as name
  where name <> all (tg_argv || array['silver_version', 'published_at'])
    and before ->> name is distinct from after ->> name
  order by name;
  return null;
end $$;

create function ops.begin_changes(
  days date[], version bigint, correcting boolean, publish_id bigint
) returns void
language sql as $$
  select
    set_config(
      'pizza.corrections', case when correcting then 'on' else 'off' end, true
    ),
    set_config('pizza.publish_id', publish_id::text, true),
    set_config('pizza.silver_version', version::text, true),
    set_config('pizza.cause', format(
      'published again at silver version %s: %s',
      version, array_to_string(days, ', ')
    ), true)
$$;

create function ops.end_changes() returns void
language sql as $$
  select set_config('pizza.corrections', '', true)
$$;
