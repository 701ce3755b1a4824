-- One row per rejected event: how often it is quarantined (must be once), and 1
-- if silver holds its order from an event that arrived later. Lake SQL.
with latest as (
    select
        order_id,
        max(arrived_at) as arrived_at
    from silver_order_lines
    group by order_id
)

select
    quarantine_order_events.shard,
    quarantine_order_events.sequence_number,
    quarantine_order_events.record_index,
    min(quarantine_order_events.reason) as reason,
    count(*) as times,
    max(case when latest.arrived_at > quarantine_order_events.arrived_at then 1 else 0 end) as came_later
from quarantine_order_events
left join latest
    on latest.order_id = quarantine_order_events.order_id
group by
    quarantine_order_events.shard,
    quarantine_order_events.sequence_number,
    quarantine_order_events.record_index
