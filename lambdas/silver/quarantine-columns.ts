import type { Column } from "../domain/silver-columns.ts";

/** The columns of `quarantine/order_events`; grain: one row per refused event, or per refused record. */
export const quarantineColumns = [
  { name: "shard", type: "string", comment: "Stream position: shard" },
  { name: "sequence_number", type: "string", comment: "Stream position: sequence number of the record, decimal" },
  { name: "record_index", type: "int", comment: "Stream position: index of the event within its record" },
  { name: "arrived_at", type: "timestamp", comment: "When the stream took it, UTC" },
  { name: "reason", type: "string", comment: "Reason code, from a closed list" },
  { name: "detail", type: "string", comment: "What was refused and why, in a sentence" },
  { name: "order_id", type: "string", nullable: true, comment: "The order's id, where the event could be read" },
  { name: "payload", type: "string", comment: "The event as text; bytes that are no UTF-8 are replaced" },
  {
    name: "payload_base64",
    type: "string",
    nullable: true,
    comment: "The exact bytes, where payload could not show them",
  },
  { name: "bronze_key", type: "string", comment: "The bronze object that it was read from" },
  { name: "quarantined_at", type: "timestamp", comment: "When silver refused it, UTC" },
] as const satisfies readonly Column[];
