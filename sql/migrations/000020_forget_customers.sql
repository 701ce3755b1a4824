-- A customer who is in no order any more, because the orders were cancelled or
-- the customer was forgotten, leaves nothing in the corrections.
create function ops.forget_corrections() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  delete from ops.corrections
  where table_name = 'gold.customer_segments'
    and key ->> 'customer_key' in (select customer_key from gone)
    and not exists (
      select from gold.customer_segments
      where customer_segments.customer_key = key ->> 'customer_key'
    );
  return null;
end $$;
comment on function ops.forget_corrections is
  'Removes corrections of customers who left gold.customer_segments';

create trigger forget_corrections
after delete on gold.customer_segments
referencing old table as gone
for each statement execute function ops.forget_corrections();
