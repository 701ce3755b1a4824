-- One row per offender: a table of gold that is missing, or a column or key that
-- differs from its definition. PostgreSQL.
select
    table_name,
    example
from ops.gold_shape_offenders()
