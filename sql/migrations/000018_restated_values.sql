-- What was reported and is known better by now: each value of gold that was
-- corrected, as it was first reported and as gold shows it at this moment.
do $$
declare
  shown text := (
    select string_agg(
      format(
        'select %L as table_name, %s as key, to_jsonb(t) as cells from gold.%I as t',
        'gold.' || relname,
        (
          select 'jsonb_build_object(' || string_agg(
            format('%L, t.%I', name, name), ', '
          ) || ')'
          from unnest(ops.key_columns(pg_class.oid::regclass)) as name
        ),
        relname
      ),
      ' union all ' order by relname
    )
    from pg_class
    where relnamespace = 'gold'::regnamespace and relkind = 'r'
  );
begin
  execute format(
    'create view gold.restated_values as
    with
    shown as (%s),
    corrected as (
      select
        table_name, key, column_name,
        min(order_date) as order_date,
        min(month) as month,
        (array_agg(old_value order by id))[1] as first_reported,
        count(*)::integer as corrections,
        min(corrected_at) as first_corrected_at,
        max(corrected_at) as last_corrected_at,
        (array_agg(cause order by id desc))[1] as last_cause
      from ops.corrections
      group by table_name, key, column_name
    ),
    compared as (
      select corrected.*, shown.cells ->> corrected.column_name as now_known
      from corrected left join shown using (table_name, key)
    )
    select
      table_name, key, column_name, order_date, month,
      first_reported, now_known,
      case
        when first_reported ~ ''^-?\d+(\.\d+)?$''
          and now_known ~ ''^-?\d+(\.\d+)?$''
        then now_known::numeric - first_reported::numeric
      end as change,
      corrections, first_corrected_at, last_corrected_at, last_cause
    from compared',
    shown
  );
end $$;
comment on view gold.restated_values is
  'Values that changed after their day was reported, one row per value: as first
reported, as now known';
comment on column gold.restated_values.table_name is 'Table of gold';
comment on column gold.restated_values.key is 'Primary key of the row';
comment on column gold.restated_values.column_name is 'Column of the value';
comment on column gold.restated_values.order_date is
  'Day of the row, if it has one';
comment on column gold.restated_values.month is
  'Month of the row, if it has one';
comment on column gold.restated_values.first_reported is
  'Before the first correction; null where there was no row';
comment on column gold.restated_values.now_known is
  'What gold shows now; null where there is no row any more';
comment on column gold.restated_values.change is
  'now_known - first_reported, where both are numbers';
comment on column gold.restated_values.corrections is
  'Times that the value was corrected';
comment on column gold.restated_values.first_corrected_at is
  'First correction';
comment on column gold.restated_values.last_corrected_at is
  'Latest correction';
comment on column gold.restated_values.last_cause is
  'The days that were published again at the latest correction, or who changed
it by hand';
