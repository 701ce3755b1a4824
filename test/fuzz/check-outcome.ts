import type { LakeQuery, LakeTable } from "../../pipeline/ports.ts";
import type { FuzzRecord } from "./make-records.ts";
import type { FuzzEvent } from "./order-texts.ts";

/** What is kept of a record that was sent: everything but its bytes. */
export interface SentRecord extends Omit<FuzzRecord, "data"> {
  /** Shard and sequence number, as the stream answered. */
  position: string;
}

/** The lake after everything was refined. */
export interface FuzzedLake {
  lake: Pick<LakeQuery, "query">;
  silver: LakeTable;
  quarantine: LakeTable;
}

interface SilverOrder {
  orderId: string;
  position: string;
  revision: number;
  seq: number;
  quantity: number;
}

/** An event that was sent, and the record that it was in. */
type SentEvent = FuzzEvent & { position: string };

const mostShown = 20;

/**
 * Compares silver and the quarantine with what the generator knows of its records: every valid event is its order's
 * latest in silver, a copy, an earlier revision or a lost conflict; everything else is quarantined. Returns a sentence
 * for each difference.
 */
export async function checkOutcome(sent: readonly SentRecord[], tables: FuzzedLake): Promise<string[]> {
  const problems: string[] = [];
  const silver = await readSilver(tables, problems);
  const rows = await countRows(tables);
  const byPosition = Map.groupBy(silver, ({ position }) => position);
  const lost = compareOrders(sent, silver, problems);
  const places = new Set(sent.map(({ position }) => position));
  if (places.size !== sent.length) problems.push("two records have one place in the stream");
  for (const place of [...byPosition.keys(), ...rows.keys()]) {
    if (!places.has(place)) problems.push(`${place}: no record was sent there`);
  }
  const unseen: { record: SentRecord; orderId: string }[] = [];
  for (const record of sent) {
    const { kind, position, valid, rejected, allOrNone } = record;
    const found = byPosition.get(position) ?? [];
    const quarantined = rows.get(position) ?? 0;
    const expected = rejected === undefined ? undefined : rejected + (lost.get(position) ?? 0);
    if (expected !== undefined && quarantined !== expected) {
      problems.push(`${kind} at ${position}: ${quarantined} rows in the quarantine for ${expected}`);
    }
    if (expected === undefined && quarantined + found.length === 0) problems.push(`${kind} at ${position}: lost`);
    const ids = new Set(found.map(({ orderId }) => orderId));
    if (allOrNone !== undefined) {
      const isAll = quarantined === 0 && allOrNone.every((id) => ids.has(id));
      if (!isAll && (ids.size > 0 || quarantined === 0)) {
        problems.push(`${kind} at ${position}: ${ids.size} of ${allOrNone.length} orders, ${quarantined} rows`);
      }
    }
    if (record.isAltered !== true) {
      const own = new Set([...valid.map(({ orderId }) => orderId), ...(allOrNone ?? [])]);
      for (const id of ids) if (!own.has(id)) problems.push(`${kind} at ${position}: it did not hold order ${id}`);
    }
    for (const orderId of record.shown ?? []) if (!ids.has(orderId)) unseen.push({ record, orderId });
  }
  await findUnseen(unseen, tables, problems);
  return problems.length > mostShown
    ? [...problems.slice(0, mostShown), `and ${problems.length - mostShown} more`]
    : problems;
}

/** Compares each order's rows with the event that it must show; returns how many conflicts each record lost. */
function compareOrders(sent: readonly SentRecord[], silver: readonly SilverOrder[], problems: string[]) {
  const events = sent.flatMap(({ valid, position }) => valid.map((event): SentEvent => ({ ...event, position })));
  const held = Map.groupBy(silver, ({ orderId }) => orderId);
  const lost = new Map<string, number>();
  for (const [orderId, all] of Map.groupBy(events, (event) => event.orderId)) {
    const [winner, ...others] = all.toSorted(inRank) as [SentEvent, ...SentEvent[]];
    for (const other of others) {
      if (other.revision !== winner.revision || other.text === winner.text) continue;
      lost.set(other.position, (lost.get(other.position) ?? 0) + 1);
    }
    const orders = held.get(orderId) ?? [];
    if (orders.length !== 1) problems.push(`order ${orderId} is ${orders.length} times in silver`);
    for (const { revision, seq, quantity } of orders) {
      if (revision === winner.revision && seq === winner.seq && quantity === winner.quantity) continue;
      problems.push(
        `order ${orderId} shows revision ${revision} of number ${seq}, not ${winner.revision}, ${winner.seq}`,
      );
    }
  }
  return lost;
}

/** The highest revision first; of one revision the event that was sent first, and of these the lowest number. */
function inRank(one: SentEvent, other: SentEvent): number {
  if (one.revision !== other.revision) return other.revision - one.revision;
  if (one.emittedAt !== other.emittedAt) return one.emittedAt < other.emittedAt ? -1 : 1;
  return one.seq - other.seq;
}

async function readSilver({ lake, silver }: FuzzedLake, problems: string[]): Promise<SilverOrder[]> {
  const rows = await lake.query(
    `select order_id, order_date, shard || '/' || sequence_number as position, record_index, revision, producer_seq,
       count(*) as line_rows, count(distinct line_no) as line_numbers,
       max(case when line_no = 1 then quantity end) as quantity
     from silver_order_lines
     group by order_id, order_date, shard, sequence_number, record_index, revision, producer_seq`,
    [],
    [silver],
  );
  return rows.map((row) => {
    if (row["line_rows"] !== row["line_numbers"]) problems.push(`order ${row["order_id"]} has a line twice`);
    return {
      orderId: String(row["order_id"]),
      position: String(row["position"]),
      revision: Number(row["revision"]),
      seq: Number(row["producer_seq"]),
      quantity: Number(row["quantity"]),
    };
  });
}

async function countRows({ lake, quarantine }: FuzzedLake): Promise<Map<string, number>> {
  const rows = await lake.query(
    `select shard || '/' || sequence_number as position, count(*) as quarantined
     from quarantine_order_events group by shard, sequence_number`,
    [],
    [quarantine],
  );
  return new Map(rows.map((row) => [String(row["position"]), Number(row["quarantined"])]));
}

/** Looks for orders that are not in silver in the quarantined text of their records. */
async function findUnseen(
  unseen: readonly { record: SentRecord; orderId: string }[],
  { lake, quarantine }: FuzzedLake,
  problems: string[],
): Promise<void> {
  const most = 200;
  for (let at = 0; at < unseen.length; at += most) {
    const wanted = unseen.slice(at, at + most);
    const places = [...new Set(wanted.map(({ record }) => record.position))];
    const rows = await lake.query(
      `select shard || '/' || sequence_number as position, payload from quarantine_order_events
       where shard || '/' || sequence_number in (${places.map(() => "?").join(", ")})`,
      places,
      [quarantine],
    );
    const texts = Map.groupBy(rows, (row) => row["position"]);
    for (const { record, orderId } of wanted) {
      const isSeen = texts.get(record.position)?.some((row) => String(row["payload"]).includes(orderId));
      if (isSeen !== true) problems.push(`${record.kind} at ${record.position}: order ${orderId} is lost`);
    }
  }
}
