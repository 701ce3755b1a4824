-- Which commit of silver gold was published from: a version number alone does not
-- tell a commit from another one that was made under its number later.
comment on column ops.cursor.name is
  'silver_version: gold shows every change of silver up to it.
silver_commit: the newest commit of silver that a publish was planned from.
reported_until: days before this date were reported.
customers_published_at: when the rows per customer were last published';
comment on column ops.cursor.value is
  'A version, a version and the id of its commit, a date, or a time';

create function ops.note_silver_commit(version bigint, commit_id text)
returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  insert into ops.cursor as known (name, value)
  values ('silver_commit', version || ' ' || commit_id)
  on conflict (name) do update set value = excluded.value
  where split_part(known.value, ' ', 1)::bigint < version
$$;
comment on function ops.note_silver_commit is
  'Notes the commit that gold is published from; an older version never wins';

create function ops.forget_silver_versions() returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  update ops.windows set
    silver_version = -1,
    customers_version = case when customers_version is not null then -1 end,
    reported_version = null;
  update ops.freshness set silver_version = -1;
  delete from ops.cursor where name in ('silver_version', 'silver_commit');
end $$;
comment on function ops.forget_silver_versions is
  'Makes every day due for a publish, after silver has lost commits: the versions
in the ledgers are those of another history';

grant execute on function
  ops.note_silver_commit, ops.forget_silver_versions
to pizza_writer;
