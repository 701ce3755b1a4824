-- Gold as a star: what was sold by day, store, channel and pizza, and by day, hour,
-- store and channel. All measures add up over every column of the key. A publish
-- writes them from silver itself: they are facts that readers can see, and no
-- corrections are kept of them.
create table gold.sales_items (
  order_date date not null,
  store_id text not null,
  channel text not null,
  pizza_id text not null,
  order_lines integer not null,
  pizzas integer not null,
  revenue numeric(14, 2) not null,
  cost numeric(14, 2) not null,
  silver_version bigint not null,
  published_at timestamptz not null,
  primary key (order_date, store_id, channel, pizza_id)
);
comment on table gold.sales_items is
  'Sales per day, store, channel and pizza; every measure adds up';
comment on column gold.sales_items.order_date is
  'Business date: the day on the store''s own clock';
comment on column gold.sales_items.store_id is 'The store that sold';
comment on column gold.sales_items.channel is
  'dine_in, takeaway, delivery or online';
comment on column gold.sales_items.pizza_id is 'Key of the menu: type and size';
comment on column gold.sales_items.order_lines is
  'Lines of orders that are sales: placed or amended, not cancelled or refunded';
comment on column gold.sales_items.pizzas is 'Pizzas sold';
comment on column gold.sales_items.revenue is 'US dollars taken';
comment on column gold.sales_items.cost is
  'US dollars that the ingredients cost; invented';
comment on column gold.sales_items.silver_version is
  'Version of silver at which a value of this row last changed';
comment on column gold.sales_items.published_at is
  'When a value of this row last changed';

create table gold.sales_hours (
  order_date date not null,
  hour smallint not null,
  store_id text not null,
  channel text not null,
  orders integer not null,
  order_lines integer not null,
  pizzas integer not null,
  revenue numeric(14, 2) not null,
  cost numeric(14, 2) not null,
  silver_version bigint not null,
  published_at timestamptz not null,
  primary key (order_date, hour, store_id, channel)
);
comment on table gold.sales_hours is
  'Sales per day, hour, store and channel; every measure adds up';
comment on column gold.sales_hours.order_date is
  'Business date: the day on the store''s own clock';
comment on column gold.sales_hours.hour is
  'Hour on the store''s own clock, 0 to 23';
comment on column gold.sales_hours.store_id is 'The store that sold';
comment on column gold.sales_hours.channel is
  'dine_in, takeaway, delivery or online';
comment on column gold.sales_hours.orders is
  'Orders that are sales: placed or amended, not cancelled or refunded';
comment on column gold.sales_hours.order_lines is 'Lines of these orders';
comment on column gold.sales_hours.pizzas is 'Pizzas sold';
comment on column gold.sales_hours.revenue is 'US dollars taken';
comment on column gold.sales_hours.cost is
  'US dollars that the ingredients cost; invented';
comment on column gold.sales_hours.silver_version is
  'Version of silver at which a value of this row last changed';
comment on column gold.sales_hours.published_at is
  'When a value of this row last changed';

-- A day of a chain has thousands of rows, so they come column by column, each an array
-- as text: PostgreSQL reads that in a tenth of the time of as many JSON objects.
select ops.define_fact('gold.sales_items', $$
  select
    order_date, store_id, channel, pizza_id, order_lines, pizzas,
    facts.dollars(revenue_cents) as revenue,
    facts.dollars(cost_cents) as cost
  from unnest(
    (document #>> '{sales_items,order_date}')::date[],
    (document #>> '{sales_items,store_id}')::text[],
    (document #>> '{sales_items,channel}')::text[],
    (document #>> '{sales_items,pizza_id}')::text[],
    (document #>> '{sales_items,order_lines}')::integer[],
    (document #>> '{sales_items,pizzas}')::integer[],
    (document #>> '{sales_items,revenue_cents}')::bigint[],
    (document #>> '{sales_items,cost_cents}')::bigint[]
  ) as row_of (
    order_date, store_id, channel, pizza_id, order_lines, pizzas, revenue_cents, cost_cents
  )
$$);

select ops.define_fact('gold.sales_hours', $$
  select
    order_date, hour, store_id, channel, orders, order_lines, pizzas,
    facts.dollars(revenue_cents) as revenue,
    facts.dollars(cost_cents) as cost
  from unnest(
    (document #>> '{sales_hours,order_date}')::date[],
    (document #>> '{sales_hours,hour}')::smallint[],
    (document #>> '{sales_hours,store_id}')::text[],
    (document #>> '{sales_hours,channel}')::text[],
    (document #>> '{sales_hours,orders}')::integer[],
    (document #>> '{sales_hours,order_lines}')::integer[],
    (document #>> '{sales_hours,pizzas}')::integer[],
    (document #>> '{sales_hours,revenue_cents}')::bigint[],
    (document #>> '{sales_hours,cost_cents}')::bigint[]
  ) as row_of (
    order_date, hour, store_id, channel, orders, order_lines, pizzas, revenue_cents, cost_cents
  )
$$);

-- The hours of a day are those of the star. facts.day_hours keeps a day only until it
-- is published again; an earlier release, after a rollback, writes days there.
select ops.define_fact('facts.day_hours', $$
  select * from jsonb_populate_recordset(null::facts.day_hours, document -> 'day_hours')
$$, 'days', true);
comment on table facts.day_hours is
  'Sales per day and hour, of days that an earlier release published last; the others
are in gold.sales_hours';

select ops.define_gold_table('gold.hourly_trends', 'days', $$
  with
  hours as (
    select
      order_date, hour,
      sum(orders)::integer as orders,
      sum(pizzas)::integer as pizzas,
      sum(revenue) as revenue
    from gold.sales_hours
    where order_date between first_day and last_day
      and order_date not in (select day_hours.order_date from facts.day_hours)
    group by 1, 2
    union all
    select order_date, hour, orders, pizzas, facts.dollars(revenue_cents)
    from facts.day_hours
    where order_date between first_day and last_day
  )
  select
    order_date,
    hour,
    extract(isodow from order_date)::smallint as weekday,
    orders,
    pizzas,
    revenue
  from hours
$$);

-- Control totals: what the star adds up to, and the reported tables that say the same
-- from facts of their own. gold.hourly_trends is computed from the star, so it is none.
create table definitions.control_totals (
  fact text not null,
  reported text not null,
  key text[] not null,
  measures text[] not null,
  primary key (fact, reported)
);
comment on table definitions.control_totals is
  'Tables of gold that the receipt compares with the sums of a fact, one row each';
comment on column definitions.control_totals.fact is 'The fact, with order_date';
comment on column definitions.control_totals.reported is 'The table of gold';
comment on column definitions.control_totals.key is
  'Columns that both are added up by: order_date or month, and others';
comment on column definitions.control_totals.measures is 'Columns that must be equal';

insert into definitions.control_totals (fact, reported, key, measures) values
('gold.sales_hours', 'gold.daily_sales_summary',
  '{order_date}', '{orders,order_lines,pizzas,revenue,cost}'),
('gold.sales_hours', 'gold.revenue_analytics',
  '{order_date,store_id,channel}', '{orders,revenue,cost}'),
('gold.sales_hours', 'gold.monthly_sales_summary',
  '{month}', '{orders,order_lines,pizzas,revenue,cost}'),
('gold.sales_items', 'gold.daily_sales_summary',
  '{order_date}', '{order_lines,pizzas,revenue,cost}'),
('gold.sales_items', 'gold.revenue_analytics',
  '{order_date,store_id,channel}', '{revenue,cost}'),
('gold.sales_items', 'gold.pizza_performance',
  '{month,pizza_id}', '{pizzas,revenue,cost}');

create function ops.control_offenders()
returns table (table_name text, example text)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC' set datestyle = 'ISO' as $$
declare
  control record;
  date_column text;
begin
  for control in select * from definitions.control_totals as c order by c.reported, c.fact loop
    date_column := control.key[1];
    return query execute format(
      'with
      due as (
        select case %1$L when ''month'' then facts.month_of(order_date) else order_date end as day
        from ops.windows where is_due
      ),
      star as (
        select true as is_there, %2$s, %3$s
        from (select *, facts.month_of(order_date) as month from %4$s) as fact
        where %1$I not in (select day from due)
        group by %2$s
      ),
      reported as (
        select true as is_there, %2$s, %5$s from %6$s
        where %1$I not in (select day from due)
      )
      select %6$L::text, concat_ws('', '', %2$s) || '': '' || case
        when reported.is_there is null then ''the row is missing, but %4$s has sales''
        when star.is_there is null then ''the row has sales that %4$s does not have''
        else concat_ws('', '', %7$s) || '' in %4$s''
      end
      from reported full join star using (%2$s)
      where row(%8$s) is distinct from row(%9$s)
      order by 2',
      date_column,
      (select string_agg(format('%I', k), ', ') from unnest(control.key) as k),
      (select string_agg(format('sum(%1$I) as %1$I', m), ', ') from unnest(control.measures) as m),
      control.fact,
      (select string_agg(format('%I', m), ', ') from unnest(control.measures) as m),
      control.reported,
      (
        select string_agg(format(
          'case when reported.%1$I <> star.%1$I then format(''%1$s is %%s for %%s'', reported.%1$I, star.%1$I) end', m
        ), ', ') from unnest(control.measures) as m
      ),
      (select string_agg(format('reported.%I', m), ', ') from unnest(control.measures) as m),
      (select string_agg(format('star.%I', m), ', ') from unnest(control.measures) as m)
    );
  end loop;
end $$;
comment on function ops.control_offenders is
  'Rows of reported tables of gold that are not the sums of a fact; days that are due
are left out';
grant execute on function ops.control_offenders to pizza_reader, pizza_writer;
