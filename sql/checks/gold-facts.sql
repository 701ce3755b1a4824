-- One row per offender: a fact in PostgreSQL that is not what silver says of its
-- day; $1 is the document that a publish of these days would take. PostgreSQL.
select
    table_name,
    example
from ops.fact_offenders($1::jsonb)
