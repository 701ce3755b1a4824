-- One row per offender: a row of gold whose cells are not what the facts of its
-- days make of it by gold's own definitions. PostgreSQL.
select
    table_name,
    example
from ops.gold_offenders()
