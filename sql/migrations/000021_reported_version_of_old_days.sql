-- Days that were reported before reported_version was kept: one that was not
-- published again since shows what was reported.
update ops.windows set reported_version = silver_version
where reported_at is not null
  and reported_version is null
  and published_at <= reported_at;
