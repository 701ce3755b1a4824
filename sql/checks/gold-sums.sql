-- One row per offender: a row of gold, or of the ledger of days, with cells that
-- differ from what gold's definitions compute from the facts. PostgreSQL. Limited
-- to what a response of the RDS Data API can hold, 1 MiB.
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
