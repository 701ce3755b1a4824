-- One row per offender: a publish within the day before $2 that showed orders more
-- than $1 seconds after the tills sent them. PostgreSQL.
select
    to_char(published_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    || ': ' || orders || ' orders, 95 % of them within '
    || round(p95_seconds) || ' s' as example
from ops.freshness
where p95_seconds > $1::numeric
    and published_at > $2::timestamptz - interval '1 day'
    and published_at <= $2::timestamptz
