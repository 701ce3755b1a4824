-- Who may do what. On a managed server the logins of these two roles are made
-- elsewhere; here they only need to exist.
do $$
declare
  role_name text;
begin
  foreach role_name in array array['pizza_reader', 'pizza_writer'] loop
    if not exists (select from pg_roles where rolname = role_name) then
      execute format('create role %I nologin', role_name);
    end if;
  end loop;
  execute format(
    'revoke temporary on database %I from public', current_database()
  );
end $$;

create schema gold;
create schema facts;
comment on schema gold is 'Business tables, published day by day from silver';
comment on schema facts is 'Facts per day, from which gold is derived';
comment on schema ops is 'Ledgers of the pipeline: windows, corrections, runs';

grant usage on schema gold, ops to pizza_reader, pizza_writer;
grant select on all tables in schema ops to pizza_reader, pizza_writer;
alter default privileges in schema gold
  grant select on tables to pizza_reader, pizza_writer;
alter default privileges in schema ops
  grant select on tables to pizza_reader, pizza_writer;
alter default privileges revoke execute on functions from public;
