-- Primary keys are listed by information_schema only to who may do more with a table
-- than read it. REFERENCES is such a privilege. It lets nobody write, and pizza_reader,
-- which can create no table, has nothing that could refer to gold. Nobody else gets it.
grant references on all tables in schema gold to pizza_reader;
alter default privileges in schema gold grant references on tables to pizza_reader;

-- Many BI tools read no arrays and no JSON, and no numerics without a precision. The
-- views have the same rows with plain types, in a schema of their own.
create schema bi;
comment on schema bi is
  'Views for BI tools: the rows of gold and ops that have columns of types which such
tools do not read, with plain types';
grant usage on schema bi to pizza_reader, pizza_writer;
alter default privileges in schema bi
  grant select on tables to pizza_reader, pizza_writer;

create view bi.restated_values as
select
  table_name,
  key::text as key,
  column_name,
  order_date,
  month,
  first_reported,
  now_known,
  change::numeric(20, 2) as change,
  corrections,
  first_corrected_at,
  last_corrected_at,
  last_cause
from gold.restated_values;

create view bi.corrections as
select
  id,
  publish_id,
  table_name,
  key::text as key,
  column_name,
  old_value,
  new_value,
  order_date,
  month,
  silver_version,
  cause,
  corrected_at
from ops.corrections;

create view bi.data_quality_results as
select
  checked_at,
  rule,
  kind,
  severity,
  offenders,
  threshold,
  is_red,
  array_to_string(
    array(select jsonb_array_elements_text(examples)), e'\n'
  ) as examples,
  silver_version,
  order_lines
from ops.data_quality_results;

create view bi.freshness as
select
  id,
  published_at,
  silver_version,
  orders,
  median_seconds::numeric(14, 3) as median_seconds,
  p95_seconds::numeric(14, 3) as p95_seconds
from ops.freshness;

create view bi.receipts as
select
  run_id,
  checked_at,
  balanced,
  records_sent,
  records_distinct,
  events,
  events_accepted,
  event_duplicates,
  superseded_revisions,
  events_quarantined,
  events_pending,
  orders,
  bronze_cents,
  silver_cents,
  gold_cents,
  findings,
  array_to_string(sentences, e'\n') as sentences
from ops.receipts;

create view bi.runs as
select id, workflow, started_at, milliseconds, output::text as output, error
from ops.runs;

-- The views say what the columns of their tables say.
do $$
declare
  shown record;
begin
  for shown in
    select view.oid::regclass as view, origin.oid as origin, attname as name,
      col_description(origin.oid, column_of.attnum) as text
    from pg_class as view
    join pg_class as origin on origin.relname = view.relname
      and origin.relnamespace in ('gold'::regnamespace, 'ops'::regnamespace)
    join pg_attribute as column_of on attrelid = origin.oid and attnum > 0
    where view.relnamespace = 'bi'::regnamespace
  loop
    execute format(
      'comment on view %s is %L', shown.view,
      obj_description(shown.origin, 'pg_class') || '; with plain types'
    );
    execute format('comment on column %s.%I is %L', shown.view, shown.name, shown.text);
  end loop;
end $$;
comment on column bi.data_quality_results.examples is
  'Up to ten offenders, one a line; never a customer';
comment on column bi.receipts.sentences is 'What did not add up, one sentence a line';
