-- The dimensions of the star. The calendar follows the days with sales; menu, stores,
-- prices, ingredients and recipes follow the files in data/, which every deployment and
-- every start hands over as they are.
create function facts.nth_weekday(
  year integer, month integer, weekday integer, n integer
) returns date
language sql immutable as $$
  select make_date(year, month, 1)
    + (weekday - extract(isodow from make_date(year, month, 1))::integer + 7) % 7
    + 7 * (n - 1)
$$;

-- 5 U.S.C. 6103(a): the days themselves, not the weekdays on which offices are closed
-- instead. The inauguration of a president is a holiday in one district only.
create function facts.us_federal_holidays(year integer)
returns table (date date, name text)
language sql immutable as $$
  select make_date(year, 1, 1), 'New Year''s Day'
  union all
  -- In force from 1986 (Public Law 98-144).
  select facts.nth_weekday(year, 1, 1, 3), 'Birthday of Martin Luther King, Jr.'
  where year >= 1986
  union all
  select facts.nth_weekday(year, 2, 1, 3), 'Washington''s Birthday'
  union all
  -- The last Monday of May is the one within seven days of the 25th.
  select facts.nth_weekday(year, 5, 1, case
    when facts.nth_weekday(year, 5, 1, 5) <= make_date(year, 5, 31) then 5 else 4
  end), 'Memorial Day'
  union all
  -- In force from 2021 (Public Law 117-17).
  select make_date(year, 6, 19), 'Juneteenth National Independence Day'
  where year >= 2021
  union all
  select make_date(year, 7, 4), 'Independence Day'
  union all
  select facts.nth_weekday(year, 9, 1, 1), 'Labor Day'
  union all
  select facts.nth_weekday(year, 10, 1, 2), 'Columbus Day'
  union all
  select make_date(year, 11, 11), 'Veterans Day'
  union all
  select facts.nth_weekday(year, 11, 4, 4), 'Thanksgiving Day'
  union all
  select make_date(year, 12, 25), 'Christmas Day'
$$;

create table gold.dates (
  date date not null,
  year smallint not null,
  quarter smallint not null,
  month date not null,
  month_number smallint not null,
  month_name text not null,
  day_of_month smallint not null,
  weekday smallint not null,
  weekday_name text not null,
  is_weekend boolean not null,
  holiday text,
  has_sales boolean not null,
  is_closed boolean not null,
  silver_version bigint not null,
  published_at timestamptz not null,
  primary key (date)
);
comment on table gold.dates is 'Calendar: every day of the years that have sales';
comment on column gold.dates.date is 'The day; the order_date of the sales';
comment on column gold.dates.year is 'Year';
comment on column gold.dates.quarter is 'Quarter, 1 to 4';
comment on column gold.dates.month is
  'First day of the month; the month of the monthly tables';
comment on column gold.dates.month_number is '1 January to 12 December; sorts month_name';
comment on column gold.dates.month_name is 'January to December';
comment on column gold.dates.day_of_month is '1 to 31';
comment on column gold.dates.weekday is '1 Monday to 7 Sunday; sorts weekday_name';
comment on column gold.dates.weekday_name is 'Monday to Sunday';
comment on column gold.dates.is_weekend is 'Saturday or Sunday';
comment on column gold.dates.holiday is
  'Federal holiday of the United States on this day, by law; null on other days';
comment on column gold.dates.has_sales is 'Whether any store has a sale on this day';
comment on column gold.dates.is_closed is
  'No store has a sale on this day, though the chain has earlier and later ones';
comment on column gold.dates.silver_version is
  'Version of silver at which a value of this row last changed';
comment on column gold.dates.published_at is
  'When a value of this row last changed';

select ops.define_gold_table('gold.dates', 'calendar', $$
  with
  sold as (
    select order_date from facts.day_totals
    where order_date between first_day and last_day
  ),
  ends as (
    select min(order_date) as first_sale, max(order_date) as last_sale
    from facts.day_totals
  ),
  years as (select distinct extract(year from order_date)::integer as year from sold),
  days as (
    select day::date as date
    from years
    cross join lateral generate_series(
      make_date(year, 1, 1)::timestamp, make_date(year, 12, 31), interval '1 day'
    ) as day
  ),
  holidays as (
    select holiday.* from years
    cross join lateral facts.us_federal_holidays(year) as holiday
  )
  select
    date,
    extract(year from date)::smallint as year,
    extract(quarter from date)::smallint as quarter,
    facts.month_of(date) as month,
    extract(month from date)::smallint as month_number,
    (array[
      'January', 'February', 'March', 'April', 'May', 'June', 'July', 'August',
      'September', 'October', 'November', 'December'
    ])[extract(month from date)] as month_name,
    extract(day from date)::smallint as day_of_month,
    extract(isodow from date)::smallint as weekday,
    (array[
      'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'
    ])[extract(isodow from date)] as weekday_name,
    extract(isodow from date) >= 6 as is_weekend,
    holidays.name as holiday,
    sold.order_date is not null as has_sales,
    sold.order_date is null
      and date > ends.first_sale and date < ends.last_sale as is_closed
  from days
  cross join ends
  left join sold on sold.order_date = date
  left join holidays using (date)
$$);

-- The years that a day belongs to, with those of the sales before and after it: a first
-- sale may close every day since the one before.
create function ops.refresh_calendar(days date[], version bigint) returns integer
language plpgsql as $$
declare
  first_day date := (select min(day) from unnest(days) as day);
  last_day date := (select max(day) from unnest(days) as day);
begin
  if not exists (
    select from unnest(days) as day
    left join gold.dates as known on known.date = day
    left join facts.day_totals as total on total.order_date = day
    where (total.order_date is not null) <> coalesce(known.has_sales, false)
  ) then
    return 0;
  end if;
  perform ops.take_locks('calendar', array[0]);
  return ops.refresh_dates(
    date_trunc('year', coalesce(
      (select max(order_date) from facts.day_totals where order_date < first_day), first_day
    )::timestamp)::date,
    (date_trunc('year', coalesce(
      (select min(order_date) from facts.day_totals where order_date > last_day), last_day
    )::timestamp) + interval '1 year - 1 day')::date,
    version
  );
end $$;
comment on function ops.refresh_calendar is
  'Brings gold.dates to the days with sales, where one of these days gained its first sale
or lost its last one';
comment on column ops.locks.kind is 'day, month, calendar, customers or catalog';
comment on column ops.locks.key is
  'Days from 2000-01-01 to the day or to the first of the month; 0 for the others';

-- The facts that days lack, and the tables that are computed from them. They are no
-- corrections, whatever was reported: nobody has seen these rows before. The facts that
-- the days have stay as they are, so that what else changes is a correction.
create function ops.fill_days(document jsonb, days date[], version bigint)
returns integer
language plpgsql as $$
declare
  fact record;
  lacking date[];
begin
  if cardinality(days) = 0 then
    return 0;
  end if;
  perform ops.begin_changes(days, version, false, null);
  for fact in
    select name, split_part(name, '.', 2) as key from definitions.facts
    where published_with = 'days' and not is_retired order by place
  loop
    execute format(
      'select array(
        select day from unnest($1) as day
        where not exists (select from %s as known where known.order_date = day)
      )', fact.name
    ) into lacking using days;
    execute format('select ops.refresh_%I($1, $2, $3)', fact.key)
    using document, lacking, version;
  end loop;
  -- What the ledger says of the facts of the day is written with all of them.
  return ops.refresh_gold(days, version);
end $$;
comment on function ops.fill_days is
  'Publishes the facts that days lack, without corrections';

-- Also publishes days that are due, at the version that they show, and the calendar last:
-- its lock comes after those of days and months.
create or replace function ops.publish_windows(
  document jsonb,
  out published integer, out skipped integer,
  out rows_changed integer, out corrections integer
)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
-- Planning anew at each call would cost as much as the work. A plan that is
-- kept must not depend on how empty the tables were when it was made.
set plan_cache_mode = force_generic_plan
set enable_nestloop = off
set enable_seqscan = off
as $$
declare
  version bigint := document ->> 'silver_version';
  asked date[] := array(
    select distinct day::date
    from jsonb_array_elements_text(document -> 'windows') as day
  );
  history date[] := array(
    select day::date
    from jsonb_array_elements_text(coalesce(document -> 'history', '[]')) as day
  );
  reported date[];
  others date[];
  lacking date[];
  this_publish bigint := nextval('ops.publish_id');
begin
  perform ops.lock_days(asked);
  select
    coalesce(array_agg(day order by day)
      filter (where is_correction), '{}'),
    coalesce(array_agg(day order by day)
      filter (where not is_correction), '{}')
  into reported, others
  from unnest(asked) as day
  left join ops.windows as shown on shown.order_date = day
  cross join lateral (
    select
      ops.is_reported(day)
      and not (shown.order_date is null and day = any (history)) as is_correction
  ) as kind
  where shown.silver_version is null or shown.silver_version < version
    or (shown.is_due and shown.silver_version = version);
  published := cardinality(reported) + cardinality(others);
  skipped := cardinality(asked) - published;
  -- A day without a sale lacks nothing.
  lacking := array(
    select order_date from ops.windows join facts.day_totals using (order_date)
    where order_date = any (reported || others) and is_due
  );
  rows_changed := ops.fill_days(document, lacking, version)
    + ops.publish_days(document, reported, true, this_publish)
    + ops.publish_days(document, others, false, this_publish)
    + ops.refresh_calendar(reported || others, version);
  corrections := (
    select count(*) from ops.corrections as made
    where made.publish_id = this_publish
  );
end $$;

create table facts.catalog (
  name text primary key,
  content jsonb not null,
  published_at timestamptz not null default now()
);
comment on table facts.catalog is
  'The files of the menu, the stores and the ingredients, as they are now';
comment on column facts.catalog.name is 'menu, stores or ingredients';
comment on column facts.catalog.content is 'The file';
comment on column facts.catalog.published_at is 'When it last changed';

create table gold.stores (
  store_id text not null,
  city text not null,
  state text not null,
  time_zone text not null,
  opens_on date,
  closes_on date,
  published_at timestamptz not null,
  primary key (store_id)
);
comment on table gold.stores is 'Stores, as they are now; also those without a sale';
comment on column gold.stores.store_id is 'Id that tills send';
comment on column gold.stores.city is 'City';
comment on column gold.stores.state is 'State';
comment on column gold.stores.time_zone is
  'IANA name of its time zone, which gives the business date and the hour';
comment on column gold.stores.opens_on is 'First day; null where it has none';
comment on column gold.stores.closes_on is 'Day after the last one; null where it has none';
comment on column gold.stores.published_at is 'When a value of this row last changed';

select ops.define_gold_table('gold.stores', 'catalog', $$
  with
  versions as (
    select store.*
    from facts.catalog
    cross join lateral jsonb_to_recordset(content) as store (
      store_id text, city text, state text, time_zone text,
      valid_from date, valid_to date
    )
    where catalog.name = 'stores'
  )
  select distinct on (store_id)
    store_id,
    city,
    state,
    time_zone,
    first_value(valid_from) over (partition by store_id order by valid_from nulls first)
      as opens_on,
    valid_to as closes_on
  from versions
  order by store_id, valid_from desc nulls last
$$);

create table gold.menu (
  pizza_id text not null,
  pizza_type_id text not null,
  name text not null,
  category text not null,
  size text not null,
  size_order smallint,
  portion numeric(6, 2),
  on_menu_from date,
  on_menu_until date,
  published_at timestamptz not null,
  primary key (pizza_id)
);
comment on table gold.menu is
  'Pizzas in their sizes, as the menu has them now; also those that nobody buys';
comment on column gold.menu.pizza_id is 'Key of the menu: type and size';
comment on column gold.menu.pizza_type_id is 'The pizza without its size';
comment on column gold.menu.name is 'Newest name on the menu';
comment on column gold.menu.category is 'Chicken, Classic, Supreme or Veggie';
comment on column gold.menu.size is 'S, M, L, XL or XXL';
comment on column gold.menu.size_order is '1 for S to 5 for XXL; sorts size';
comment on column gold.menu.portion is
  'Topping of this size as a multiple of a medium pizza''s; invented';
comment on column gold.menu.on_menu_from is 'First day; null where it has none';
comment on column gold.menu.on_menu_until is
  'Day after the last one; null while it is on the menu';
comment on column gold.menu.published_at is 'When a value of this row last changed';

create function facts.menu_versions()
returns table (
  pizza_id text, pizza_type_id text, name text, category text, size text,
  price_cents bigint, cost_cents bigint, valid_from date, valid_to date
)
language sql stable as $$
  select pizza.*
  from facts.catalog
  cross join lateral jsonb_to_recordset(content) as pizza (
    pizza_id text, pizza_type_id text, name text, category text, size text,
    price_cents bigint, cost_cents bigint, valid_from date, valid_to date
  )
  where catalog.name = 'menu'
$$;

select ops.define_gold_table('gold.menu', 'catalog', $$
  select distinct on (pizza_id)
    pizza_id,
    pizza_type_id,
    name,
    category,
    size,
    array_position(array['S', 'M', 'L', 'XL', 'XXL'], size)::smallint as size_order,
    (
      select (content #>> array['sizes', size, 'portion'])::numeric(6, 2)
      from facts.catalog where catalog.name = 'ingredients'
    ) as portion,
    first_value(valid_from) over (partition by pizza_id order by valid_from nulls first)
      as on_menu_from,
    valid_to as on_menu_until
  from facts.menu_versions()
  order by pizza_id, valid_from desc nulls last
$$);

create table gold.menu_prices (
  pizza_id text not null,
  valid_from date not null,
  valid_to date,
  price numeric(14, 2) not null,
  cost numeric(14, 2) not null,
  published_at timestamptz not null,
  primary key (pizza_id, valid_from)
);
comment on table gold.menu_prices is
  'Price and cost of each pizza, one row per range of days; a change of price begins a
new one';
comment on column gold.menu_prices.pizza_id is 'Key of the menu: type and size';
comment on column gold.menu_prices.valid_from is
  'First business date of the price; 2000-01-01 where the menu gives no first day';
comment on column gold.menu_prices.valid_to is
  'Day after the last one; null while the price holds';
comment on column gold.menu_prices.price is 'US dollars for one pizza';
comment on column gold.menu_prices.cost is
  'US dollars that its ingredients cost; invented';
comment on column gold.menu_prices.published_at is
  'When a value of this row last changed';

select ops.define_gold_table('gold.menu_prices', 'catalog', $$
  select
    pizza_id,
    coalesce(valid_from, date '2000-01-01') as valid_from,
    valid_to,
    facts.dollars(price_cents) as price,
    facts.dollars(cost_cents) as cost
  from facts.menu_versions()
$$);

create table gold.ingredients (
  ingredient text not null,
  cost numeric(14, 2) not null,
  published_at timestamptz not null,
  primary key (ingredient)
);
comment on table gold.ingredients is 'Ingredients of the pizzas';
comment on column gold.ingredients.ingredient is 'Name, as the recipes have it';
comment on column gold.ingredients.cost is
  'US dollars of this topping on a medium pizza of five toppings; invented';
comment on column gold.ingredients.published_at is
  'When a value of this row last changed';

select ops.define_gold_table('gold.ingredients', 'catalog', $$
  select ingredient.key as ingredient, facts.dollars(ingredient.value::numeric) as cost
  from facts.catalog
  cross join lateral jsonb_each_text(content -> 'ingredients') as ingredient
  where catalog.name = 'ingredients'
$$);

create table gold.recipes (
  pizza_type_id text not null,
  ingredient text not null,
  place smallint not null,
  published_at timestamptz not null,
  primary key (pizza_type_id, ingredient)
);
comment on table gold.recipes is 'Ingredients of each pizza, the same in every size';
comment on column gold.recipes.pizza_type_id is 'The pizza without its size';
comment on column gold.recipes.ingredient is 'Name of the ingredient';
comment on column gold.recipes.place is 'Its place in the list on the menu, from 1';
comment on column gold.recipes.published_at is
  'When a value of this row last changed';

select ops.define_gold_table('gold.recipes', 'catalog', $$
  select recipe.key as pizza_type_id, item.ingredient, min(item.place)::smallint as place
  from facts.catalog
  cross join lateral jsonb_each(content -> 'recipes') as recipe
  cross join lateral jsonb_array_elements_text(recipe.value)
    with ordinality as item (ingredient, place)
  where catalog.name = 'ingredients'
  group by 1, 2
$$);

create function ops.refresh_catalog() returns integer
language plpgsql as $$
declare
  target text;
  rows_changed integer := 0;
  changed integer;
begin
  perform ops.take_locks('catalog', array[0]);
  for target in
    select split_part(name, '.', 2) from definitions.gold_tables
    where reach = 'catalog' order by place
  loop
    execute format('select ops.refresh_%I(null, null, null)', target) into changed;
    rows_changed := rows_changed + changed;
  end loop;
  return rows_changed;
end $$;

create function ops.publish_catalog(document jsonb) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform ops.take_locks('catalog', array[0]);
  insert into facts.catalog as known (name, content)
  select key, value from jsonb_each(document)
  on conflict (name) do update set
    content = excluded.content, published_at = excluded.published_at
  where known.content is distinct from excluded.content;
  return ops.refresh_catalog();
end $$;
comment on function ops.publish_catalog is
  'Publishes the files of the menu, the stores and the ingredients: an object with the
keys menu, stores and ingredients; gives the number of rows of gold that changed';

create function ops.repair_dimensions() returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  version bigint := (select coalesce(max(silver_version), 0) from ops.windows);
begin
  perform ops.take_locks('calendar', array[0]);
  return ops.refresh_dates('2000-01-01', '2199-12-31', version) + ops.refresh_catalog();
end $$;
comment on function ops.repair_dimensions is
  'Brings every dimension to what the days with sales and the catalog say, for a rebuild';

grant execute on function ops.publish_catalog, ops.repair_dimensions to pizza_writer;
