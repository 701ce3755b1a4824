-- One row per offender: a fact in PostgreSQL that differs from silver; $1 is the
-- document that a publish of these days would use. PostgreSQL. Limited to what a
-- response of the RDS Data API can hold, 1 MiB.
select
    table_name,
    example
from ops.fact_offenders($1::jsonb)
limit 2000
