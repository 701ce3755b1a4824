-- Parameters that one request to the RDS Data API cannot carry: they come in
-- parts first, and the statement that they are for takes them. Unlogged: what a
-- crash loses is sent again.
create unlogged table ops.parameter_parts (
  parameter_id text not null,
  part integer not null,
  body text not null,
  staged_at timestamptz not null default now(),
  primary key (parameter_id, part)
);
create index on ops.parameter_parts (staged_at);
comment on table ops.parameter_parts is
  'Parameters on their way into a statement, in parts; none is older than an hour';
comment on column ops.parameter_parts.parameter_id is
  'Made up by the caller, for one call';
comment on column ops.parameter_parts.part is 'Place of the part, from 0';
comment on column ops.parameter_parts.body is 'Text of the part';
comment on column ops.parameter_parts.staged_at is 'When it came';

-- Facts per customer pass through here: nobody reads them on their way.
revoke all on ops.parameter_parts from pizza_reader, pizza_writer;

create function ops.stage_parameter(id text, number integer, content text)
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  delete from ops.parameter_parts where staged_at < now() - interval '1 hour';
  insert into ops.parameter_parts (parameter_id, part, body)
  values (id, number, content)
  on conflict (parameter_id, part) do update set body = excluded.body;
  return number;
end $$;
comment on function ops.stage_parameter is
  'Keeps one part of a long parameter until ops.take_parameter, for an hour at
most; sending a part twice does no harm. Gives the number of the part';

create function ops.take_parameter(id text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  content text;
  parts integer;
  last_part integer;
begin
  with
  taken as (
    delete from ops.parameter_parts where parameter_id = id
    returning part, body
  )
  select string_agg(body, '' order by part), count(*), max(part)
  into content, parts, last_part
  from taken;
  if parts = 0 or parts <= last_part then
    raise exception 'parameter % is not staged: % parts are here', id, parts
      using hint = 'It was taken before, or is older than an hour: send it again';
  end if;
  return content;
end $$;
comment on function ops.take_parameter is
  'Gives a parameter that was staged in parts, and removes it';

grant execute on function ops.stage_parameter, ops.take_parameter
to pizza_writer;
