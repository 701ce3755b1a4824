-- The receipts that runs of data_quality worked out, one row per run.
create view ops.receipts as
with
receipts as (
  select id, started_at, output -> 'receipt' as receipt
  from ops.runs
  where workflow = 'data_quality' and output -> 'receipt' is not null
)
select
  id as run_id,
  started_at as checked_at,
  (receipt ->> 'balanced')::boolean as balanced,
  (receipt #>> '{records,sent}')::bigint as records_sent,
  (receipt #>> '{records,distinct}')::bigint as records_distinct,
  (receipt #>> '{events,distinct}')::bigint as events,
  (receipt #>> '{events,accepted}')::bigint as events_accepted,
  (receipt #>> '{events,eventDuplicates}')::bigint as event_duplicates,
  (receipt #>> '{events,supersededRevisions}')::bigint as superseded_revisions,
  (
    select coalesce(sum(refused.value::bigint), 0)::bigint
    from jsonb_each_text(receipt #> '{events,quarantined}') as refused
  ) as events_quarantined,
  (receipt #>> '{events,pending}')::bigint as events_pending,
  (receipt #>> '{expected,orders}')::bigint as orders,
  (receipt #>> '{expected,cents}')::bigint as bronze_cents,
  (receipt #>> '{silver,cents}')::bigint as silver_cents,
  (receipt #>> '{gold,cents}')::bigint as gold_cents,
  jsonb_array_length(receipt -> 'findings') as findings,
  array(
    select finding ->> 'sentence'
    from jsonb_array_elements(receipt -> 'findings') as finding
  ) as sentences
from receipts;

comment on view ops.receipts is
  'The receipt of each run of data_quality: is every record counted once?';
comment on column ops.receipts.run_id is 'The run in ops.runs';
comment on column ops.receipts.checked_at is 'When the run began';
comment on column ops.receipts.balanced is 'True where nothing was found';
comment on column ops.receipts.records_sent is 'Records in the stream';
comment on column ops.receipts.records_distinct is
  'Records in bronze, each counted once';
comment on column ops.receipts.events is 'Events of these records';
comment on column ops.receipts.events_accepted is 'Events that silver took';
comment on column ops.receipts.event_duplicates is
  'Events that had been accepted before';
comment on column ops.receipts.superseded_revisions is
  'Events that a later revision of their order replaced';
comment on column ops.receipts.events_quarantined is 'Events that were refused';
comment on column ops.receipts.events_pending is
  'Events in bronze that were not refined yet';
comment on column ops.receipts.orders is
  'Orders that are sales, worked out from bronze';
comment on column ops.receipts.bronze_cents is
  'US cents of these orders, worked out from bronze';
comment on column ops.receipts.silver_cents is 'The same in silver';
comment on column ops.receipts.gold_cents is 'The same in gold';
comment on column ops.receipts.findings is 'How many things did not add up';
comment on column ops.receipts.sentences is 'What did not add up';
