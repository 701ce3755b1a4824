-- One row per offender: a row of a reported table of gold that is not the sum of a
-- fact of the star. PostgreSQL. Limited to what a response of the RDS Data API can
-- hold, 1 MiB.
select
    table_name,
    example
from ops.control_offenders()
limit 2000
