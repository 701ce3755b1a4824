-- The rejected events that are quarantined more than once, and those whose order
-- silver has accepted since (came_later is 1). A conflict is resolved by a later revision
-- of the same till, because another till may have used the number for another order;
-- every other rejection by an event that arrived later. Lake SQL.
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
),

judged as (
    select
        quarantine_order_events.shard,
        quarantine_order_events.sequence_number,
        quarantine_order_events.record_index,
        count(*) as times,
        max(case
            when quarantine_order_events.reason in ('conflicting_payload', 'ordered_at_changed')
                then case
                    when latest.revision > quarantine_order_events.revision
                        and latest.producer_id = quarantine_order_events.producer_id
                        then 1
                    else 0
                end
            when latest.arrived_at > quarantine_order_events.arrived_at then 1
            else 0
        end) as came_later
    from quarantine_order_events
    left join latest
        on latest.order_id = quarantine_order_events.order_id
        and latest.store_id = quarantine_order_events.store_id
        and latest.order_date = quarantine_order_events.order_date
    group by
        quarantine_order_events.shard,
        quarantine_order_events.sequence_number,
        quarantine_order_events.record_index
)

select
    shard,
    sequence_number,
    record_index,
    times,
    came_later
from judged
where times > 1 or came_later > 0
