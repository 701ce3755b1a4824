-- Every number of gold, defined once: a query over the facts between first_day
-- and last_day (whole months for the monthly tables). ops.define_gold_table
-- makes of it facts.<table>(first_day, last_day), the rows as they must be, and
-- ops.refresh_<table>(first_day, last_day, version), which brings the table to
-- them, writes only rows that differ, and returns how many those were.
-- Generated here and not executed as text later: a publish is a few
-- milliseconds only while its plans are kept.
create function facts.month_of(day date) returns date
language sql immutable as $$
  select date_trunc('month', day::timestamp)::date
$$;

create function facts.dollars(cents numeric) returns numeric
language sql immutable as $$ select round(cents * 0.01, 2) $$;

create function facts.ratio(part numeric, whole numeric) returns numeric
language sql immutable as $$ select round(part / nullif(whole, 0), 2) $$;

create function facts.percent(part numeric, whole numeric) returns numeric
language sql immutable as $$ select round(100 * part / nullif(whole, 0), 2) $$;

create function ops.define_gold_table(target regclass, definition text)
returns void
language plpgsql as $define$
declare
  table_name text := (select relname from pg_class where oid = target);
  value_columns text[] := array(
    select attname from pg_attribute
    where attrelid = target and attnum > 0 and not attisdropped
      and attname not in ('silver_version', 'published_at')
    order by attnum
  );
  key_columns text[] := array(
    select attname
    from pg_index join pg_attribute on attrelid = indrelid
      and attnum = any (indkey)
    where indrelid = target and indisprimary
    order by array_position(indkey::int2[], attnum)
  );
  signature text := (
    select string_agg(
      format('%I %s', attname, format_type(atttypid, null)),
      ', ' order by attnum
    )
    from pg_attribute
    where attrelid = target and attname = any (value_columns)
  );
  columns text := array_to_string(value_columns, ', ');
  -- A table without a date is one window: all of it.
  scope text := coalesce((
    select format('old.%I between first_day and last_day', name)
    from unnest(key_columns) as name where name in ('order_date', 'month')
  ), 'true');
  same_key text := (
    select string_agg(format('fresh.%1$I = old.%1$I', name), ' and ')
    from unnest(key_columns) as name
  );
  changes text := (
    select string_agg(format('%1$I = excluded.%1$I', name), ', ')
    from unnest(
      value_columns || array['silver_version', 'published_at']
    ) as name
    where name <> all (key_columns)
  );
begin
  execute format(
    'create or replace function facts.%I(first_day date, last_day date)
    returns table (%s) language sql stable as %L',
    table_name, signature, definition
  );
  execute format(
    'create or replace function ops.refresh_%I(
      first_day date, last_day date, version bigint
    ) returns integer language plpgsql as %L',
    table_name,
    format(
      'declare
        rows_changed integer;
      begin
        with
          fresh as materialized (select * from facts.%I(first_day, last_day)),
          gone as (
            delete from %s as old
            where %s and not exists (select from fresh where %s)
            returning 1
          ),
          changed as (
            select * from fresh
            except
            select %s from %s as old where %s
          ),
          written as (
            insert into %s (%s, silver_version, published_at)
            select changed.*, version, now() from changed
            on conflict (%s) do update set %s
            returning 1
          )
        select (select count(*) from gone) + (select count(*) from written)
        into rows_changed;
        return rows_changed;
      end',
      table_name, target, scope, same_key, columns, target, scope, target,
      columns, array_to_string(key_columns, ', '), changes
    )
  );
  execute format(
    'create or replace trigger log_correction
    after insert or update or delete on %s for each row
    when (current_setting(''pizza.corrections'', true) is distinct from ''off'')
    execute function ops.log_correction(%s)',
    target,
    (
      select string_agg(quote_literal(name), ', ')
      from unnest(key_columns) as name
    )
  );
end $define$;

select ops.define_gold_table('gold.daily_sales_summary', $$
  select
    order_date,
    extract(isodow from order_date)::smallint as weekday,
    orders,
    order_lines,
    pizzas,
    facts.dollars(revenue_cents) as revenue,
    facts.dollars(cost_cents) as cost,
    facts.dollars(revenue_cents - cost_cents) as margin,
    facts.percent(revenue_cents - cost_cents, revenue_cents) as margin_pct,
    customers,
    facts.ratio(facts.dollars(revenue_cents), orders) as avg_order_value,
    facts.ratio(pizzas, orders) as pizzas_per_order
  from facts.day_totals
  where order_date between first_day and last_day
$$);

select ops.define_gold_table('gold.hourly_trends', $$
  select
    order_date,
    hour,
    extract(isodow from order_date)::smallint as weekday,
    orders,
    pizzas,
    facts.dollars(revenue_cents) as revenue
  from facts.day_hours
  where order_date between first_day and last_day
$$);

select ops.define_gold_table('gold.monthly_sales_summary', $$
  with
  months as (
    select
      facts.month_of(order_date) as month,
      count(*)::integer as days,
      sum(orders)::integer as orders,
      sum(order_lines)::integer as order_lines,
      sum(pizzas)::integer as pizzas,
      sum(revenue_cents) as revenue_cents,
      sum(cost_cents) as cost_cents
    from facts.day_totals
    where order_date between first_day - interval '1 month' and last_day
    group by 1
  )
  select
    this.month,
    this.days,
    this.orders,
    this.order_lines,
    this.pizzas,
    facts.dollars(this.revenue_cents) as revenue,
    facts.dollars(this.cost_cents) as cost,
    facts.dollars(this.revenue_cents - this.cost_cents) as margin,
    facts.percent(this.revenue_cents - this.cost_cents, this.revenue_cents)
      as margin_pct,
    counted.customers,
    facts.ratio(facts.dollars(this.revenue_cents), this.orders)
      as avg_order_value,
    facts.ratio(this.pizzas, this.orders) as pizzas_per_order,
    facts.percent(this.revenue_cents - past.revenue_cents, past.revenue_cents)
      as revenue_growth_pct
  from months as this
  left join months as past on past.month = this.month - interval '1 month'
  left join facts.month_customers as counted on counted.month = this.month
  where this.month >= first_day
$$);

select ops.define_gold_table('gold.pizza_performance', $$
  select
    month,
    pizza_id,
    pizza_type_id,
    name,
    category,
    size,
    orders,
    pizzas,
    facts.dollars(revenue_cents) as revenue,
    facts.dollars(cost_cents) as cost,
    facts.dollars(revenue_cents - cost_cents) as margin,
    facts.percent(revenue_cents - cost_cents, revenue_cents) as margin_pct,
    facts.percent(revenue_cents, sum(revenue_cents) over (partition by month))
      as revenue_share_pct,
    rank() over (partition by month order by revenue_cents desc)::integer
      as rank_in_month
  from facts.month_items
  where month between first_day and last_day
$$);

select ops.define_gold_table('gold.pizza_type_performance', $$
  with
  types as (
    select
      month,
      pizza_type_id,
      max(name) as name,
      max(category) as category,
      sum(type_orders)::integer as orders,
      sum(pizzas)::integer as pizzas,
      sum(revenue_cents) as revenue_cents,
      sum(cost_cents) as cost_cents
    from facts.month_items
    where month between first_day and last_day
    group by 1, 2
  )
  select
    month,
    pizza_type_id,
    name,
    category,
    orders,
    pizzas,
    facts.dollars(revenue_cents) as revenue,
    facts.dollars(cost_cents) as cost,
    facts.dollars(revenue_cents - cost_cents) as margin,
    facts.percent(revenue_cents, sum(revenue_cents) over (partition by month))
      as revenue_share_pct,
    rank() over (partition by month order by revenue_cents desc)::integer
      as rank_in_month
  from types
$$);

select ops.define_gold_table('gold.category_performance', $$
  with
  categories as (
    select
      month,
      category,
      sum(category_orders)::integer as orders,
      sum(pizzas)::integer as pizzas,
      sum(revenue_cents) as revenue_cents,
      sum(cost_cents) as cost_cents
    from facts.month_items
    where month between first_day and last_day
    group by 1, 2
  )
  select
    month,
    category,
    orders,
    pizzas,
    facts.dollars(revenue_cents) as revenue,
    facts.dollars(cost_cents) as cost,
    facts.dollars(revenue_cents - cost_cents) as margin,
    facts.percent(revenue_cents, sum(revenue_cents) over (partition by month))
      as revenue_share_pct
  from categories
$$);

select ops.define_gold_table('gold.size_performance', $$
  with
  sizes as (
    select
      month,
      size,
      sum(size_orders)::integer as orders,
      sum(pizzas)::integer as pizzas,
      sum(revenue_cents) as revenue_cents,
      sum(cost_cents) as cost_cents
    from facts.month_items
    where month between first_day and last_day
    group by 1, 2
  )
  select
    month,
    size,
    orders,
    pizzas,
    facts.dollars(revenue_cents) as revenue,
    facts.dollars(cost_cents) as cost,
    facts.dollars(revenue_cents - cost_cents) as margin,
    facts.percent(revenue_cents, sum(revenue_cents) over (partition by month))
      as revenue_share_pct
  from sizes
$$);

-- The running values reach back to the first of the month or six days,
-- whichever is longer; the rows before first_day are only there for them.
select ops.define_gold_table('gold.revenue_analytics', $$
  with
  running as (
    select
      *,
      sum(revenue_cents) over (
        partition by store_id, channel, facts.month_of(order_date)
        order by order_date
      ) as month_to_date_cents,
      sum(revenue_cents) over (
        partition by store_id, channel
        order by order_date - date '2000-01-01'
        range between 6 preceding and current row
      ) as seven_days_cents
    from facts.day_stores
    where order_date between
      least(facts.month_of(first_day), first_day - 6) and last_day
  )
  select
    order_date,
    store_id,
    channel,
    orders,
    facts.dollars(revenue_cents) as revenue,
    facts.dollars(cost_cents) as cost,
    facts.dollars(revenue_cents - cost_cents) as margin,
    facts.dollars(month_to_date_cents) as revenue_month_to_date,
    facts.dollars(seven_days_cents) as revenue_7_days,
    facts.dollars(seven_days_cents / 7) as revenue_7_days_avg
  from running
  where order_date >= first_day
$$);

select ops.define_gold_table('gold.geographic_sales', $$
  with
  cities as (
    select
      facts.month_of(order_date) as month,
      state,
      city,
      sum(orders)::integer as orders,
      sum(revenue_cents) as revenue_cents,
      sum(cost_cents) as cost_cents
    from facts.day_stores
    where order_date between first_day and last_day
    group by 1, 2, 3
  )
  select
    month,
    state,
    city,
    orders,
    counted.customers,
    facts.dollars(revenue_cents) as revenue,
    facts.dollars(cost_cents) as cost,
    facts.dollars(revenue_cents - cost_cents) as margin
  from cities
  left join facts.month_city_customers as counted using (month, state, city)
$$);

select ops.define_gold_table('gold.customer_segments', $$
  with
  customers as (
    select
      customer_key,
      (select max(order_date) from facts.customer_days) - max(order_date)
        as recency_days,
      sum(orders)::integer as frequency,
      sum(revenue_cents) as revenue_cents,
      min(first_ordered_at) as first_ordered_at,
      max(last_ordered_at) as last_ordered_at
    from facts.customer_days
    group by customer_key
  ),
  ranked as (
    select
      *,
      percent_rank() over (order by recency_days desc) as recency_rank,
      percent_rank() over (order by frequency) as frequency_rank,
      percent_rank() over (order by revenue_cents) as monetary_rank
    from customers
  ),
  scored as (
    select
      *,
      least(1 + floor(5 * recency_rank), 5)::smallint as r,
      least(1 + floor(5 * frequency_rank), 5)::smallint as f,
      least(1 + floor(5 * monetary_rank), 5)::smallint as m
    from ranked
  )
  select
    customer_key,
    recency_days,
    frequency,
    facts.dollars(revenue_cents) as monetary,
    r as recency_score,
    f as frequency_score,
    m as monetary_score,
    case
      when r >= 4 and f + m >= 8 then 'champions'
      when r >= 3 and f + m >= 6 then 'loyal'
      when r >= 4 and f + m >= 4 then 'potential_loyal'
      when r >= 4 then 'new'
      when r = 3 then 'needs_attention'
      when f + m >= 8 then 'cannot_lose'
      when f + m >= 6 then 'at_risk'
      when r = 2 then 'about_to_sleep'
      else 'lost'
    end as segment,
    first_ordered_at,
    last_ordered_at
  from scored
$$);
