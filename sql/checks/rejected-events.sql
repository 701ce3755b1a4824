-- One row per rejected event with all of its columns, and what silver has of its
-- order: the revision, and whether it resolves the rejected event, as in
-- quarantined-events.sql. Lake SQL.
with latest as (
    select
        cast(order_date as varchar) as order_date,
        store_id,
        order_id,
        max(revision) as revision,
        max(producer_id) as producer_id,
        max(arrived_at) as arrived_at
    from silver_order_lines
    group by order_date, store_id, order_id
)

select
    quarantine_order_events.shard,
    quarantine_order_events.sequence_number,
    quarantine_order_events.record_index,
    quarantine_order_events.arrived_at,
    quarantine_order_events.reason,
    quarantine_order_events.detail,
    quarantine_order_events.order_id,
    quarantine_order_events.store_id,
    quarantine_order_events.order_date,
    quarantine_order_events.payload,
    quarantine_order_events.payload_base64,
    quarantine_order_events.bronze_key,
    quarantine_order_events.quarantined_at,
    latest.revision as silver_revision,
    coalesce(case
        when quarantine_order_events.reason in ('conflicting_payload', 'ordered_at_changed')
            then latest.revision > quarantine_order_events.revision
            and latest.producer_id = quarantine_order_events.producer_id
        else latest.arrived_at > quarantine_order_events.arrived_at
    end, false) as came_later
from quarantine_order_events
left join latest
    on latest.order_id = quarantine_order_events.order_id
    and latest.store_id = quarantine_order_events.store_id
    and latest.order_date = quarantine_order_events.order_date
