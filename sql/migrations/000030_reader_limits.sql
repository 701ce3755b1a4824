-- What a login for people may not do to the others: write, or ask for ever.
-- Large objects belong to no schema, and everybody may make them.
do $$
declare
  writes regprocedure;
begin
  alter role pizza_reader set default_transaction_read_only = on;
  alter role pizza_reader set statement_timeout = '5min';
  -- A managed server keeps these for itself: there the settings above do it,
  -- and they hold against mistakes, not against a reader who changes them.
  for writes in
    select oid::regprocedure
    from pg_proc
    where pronamespace = 'pg_catalog'::regnamespace
      and proname in (
        'lo_creat', 'lo_create', 'lo_from_bytea', 'lo_import', 'lo_export',
        'lo_put', 'lo_truncate', 'lo_truncate64', 'lo_unlink', 'lowrite'
      )
      and pg_has_role(proowner, 'usage')
  loop
    execute format('revoke execute on function %s from public', writes);
  end loop;
exception when insufficient_privilege then
  raise warning 'pizza_reader keeps its settings: whoever made it may alter it';
end $$;
