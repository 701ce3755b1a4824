-- What a reader may not use up, because publishing needs it too: the server's
-- connections, its disk, and its table of locks, which advisory locks would fill.
do $$
begin
  alter role pizza_reader connection limit 20;
exception when insufficient_privilege then
  raise warning 'pizza_reader may take all connections: whoever made it may limit it';
end $$;

-- A managed server keeps the rest for itself.
do $$
declare
  takes_lock regprocedure;
begin
  alter role pizza_reader set temp_file_limit = '2GB';
  for takes_lock in
    select oid::regprocedure
    from pg_proc
    where pronamespace = 'pg_catalog'::regnamespace
      and proname ~ '^pg_(try_)?advisory_(xact_)?lock'
      and pg_has_role(proowner, 'usage')
  loop
    execute format('revoke execute on function %s from public', takes_lock);
  end loop;
exception when insufficient_privilege then
  raise warning 'pizza_reader may fill the disk and take advisory locks: only a superuser prevents it';
end $$;
