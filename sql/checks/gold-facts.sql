-- One row per offender: a fact in PostgreSQL that is not what silver says of its
-- day; $1 is the document that a publish of these days would take. PostgreSQL.
-- No more than an answer of the RDS Data API holds, 1 MiB.
select
    table_name,
    example
from ops.fact_offenders($1::jsonb)
limit 2000
