-- One row per refused event, however often a redelivery filed it. Lake SQL.
select
    shard,
    sequence_number,
    record_index,
    min(reason) as reason
from quarantine_order_events
group by shard, sequence_number, record_index
