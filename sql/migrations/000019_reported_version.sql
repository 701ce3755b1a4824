-- What a day showed when it was reported, so that it can be said which orders
-- came after that.
alter table ops.windows add column reported_version bigint;
comment on column ops.windows.reported_version is
  'Version of silver that the day showed when it was reported; -1 where it had
no sale then; null where that is not known';

create function ops.note_reported_version() returns trigger
language plpgsql as $$
begin
  if new.reported_at is null or new.reported_version is not null then
    return new;
  end if;
  if tg_op = 'INSERT' then
    new.reported_version := -1;
  elsif old.reported_at is null then
    new.reported_version := old.silver_version;
  end if;
  return new;
end $$;

create trigger note_reported_version
before insert or update on ops.windows
for each row execute function ops.note_reported_version();
