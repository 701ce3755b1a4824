-- One row per offender: a row of gold, or of the ledger of days, whose cells are
-- not what the facts of its days make of it by gold's own definitions. PostgreSQL.
-- No more than an answer of the RDS Data API holds, 1 MiB.
select
    table_name,
    example
from ops.gold_offenders()
union all
select
    table_name,
    example
from ops.window_offenders()
limit 2000
