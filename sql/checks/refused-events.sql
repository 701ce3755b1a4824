-- One row per rejected event with all of its columns, and what silver has of its
-- order: the revision, and whether it arrived later than the rejected event.
-- Lake SQL.
with latest as (
    select
        order_id,
        max(revision) as revision,
        max(arrived_at) as arrived_at
    from silver_order_lines
    group by order_id
)

select
    quarantine_order_events.shard,
    quarantine_order_events.sequence_number,
    quarantine_order_events.record_index,
    quarantine_order_events.arrived_at,
    quarantine_order_events.reason,
    quarantine_order_events.detail,
    quarantine_order_events.order_id,
    quarantine_order_events.payload,
    quarantine_order_events.payload_base64,
    quarantine_order_events.bronze_key,
    quarantine_order_events.quarantined_at,
    latest.revision as silver_revision,
    coalesce(latest.arrived_at > quarantine_order_events.arrived_at, false) as came_later
from quarantine_order_events
left join latest
    on latest.order_id = quarantine_order_events.order_id
