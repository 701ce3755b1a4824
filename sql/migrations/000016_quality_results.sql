-- What the quality rules found, run by run.
create table ops.data_quality_results (
  checked_at timestamptz not null,
  rule text not null,
  kind text not null,
  severity text not null check (severity in ('error', 'warning')),
  offenders bigint not null,
  threshold bigint not null,
  is_red boolean not null,
  examples jsonb not null,
  silver_version bigint not null,
  order_lines bigint not null,
  primary key (checked_at, rule)
);
create index on ops.data_quality_results (rule, checked_at);
comment on table ops.data_quality_results is
  'What each quality rule found, one row per rule and run of data_quality';
comment on column ops.data_quality_results.checked_at is
  'When the run looked; the same in all rows of a run';
comment on column ops.data_quality_results.rule is 'Name of the rule';
comment on column ops.data_quality_results.kind is
  'What it looks at: completeness, uniqueness, validity, consistency, freshness,
volume, price or producers';
comment on column ops.data_quality_results.severity is
  'error: people are told when it is red; warning: it only shows';
comment on column ops.data_quality_results.offenders is
  'How many rows, orders, days or tills break the rule';
comment on column ops.data_quality_results.threshold is
  'How many may break it before it is red';
comment on column ops.data_quality_results.is_red is 'offenders > threshold';
comment on column ops.data_quality_results.examples is
  'Up to ten offenders, as texts; never a customer';
comment on column ops.data_quality_results.silver_version is
  'Version of silver that was looked at; -1 before the first';
comment on column ops.data_quality_results.order_lines is
  'Order lines in that version';
grant insert on ops.data_quality_results to pizza_writer;

-- The newest runs of one workflow, for the status of a home.
create index on ops.runs (workflow, id);
