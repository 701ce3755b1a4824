-- Rows of the ledger of days that are not what the facts of the day say, and
-- days with facts that the ledger does not know. Nothing here writes. A later
-- migration that changes the columns of facts per day has to work
-- ops.windows.content_hash out anew, or all of them are named here.
create function ops.window_offenders()
returns table (table_name text, example text)
language sql stable security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC' set datestyle = 'ISO' as $$
  with
  expected as (
    select
      order_date,
      coalesce(total.order_lines, 0) as order_lines,
      coalesce(total.revenue_cents, 0) as revenue_cents,
      ops.hash_of_day(order_date) as content_hash
    from ops.windows full join facts.day_totals as total using (order_date)
  )
  select
    'ops.windows',
    expected.order_date || ': ' || case
      when shown.order_date is null then 'the row is missing'
      else concat_ws(
        ', ',
        case when shown.order_lines <> expected.order_lines then format(
          'order_lines is %s for %s', shown.order_lines, expected.order_lines
        ) end,
        case when shown.revenue_cents <> expected.revenue_cents then format(
          'revenue_cents is %s for %s', shown.revenue_cents, expected.revenue_cents
        ) end,
        case when shown.content_hash <> expected.content_hash then format(
          'content_hash is %s for %s', shown.content_hash, expected.content_hash
        ) end
      )
    end
  from expected left join ops.windows as shown using (order_date)
  where shown.order_date is null
    or shown.order_lines <> expected.order_lines
    or shown.revenue_cents <> expected.revenue_cents
    or shown.content_hash <> expected.content_hash
$$;

grant execute on function ops.window_offenders to pizza_reader, pizza_writer;
