import { decodeBronze } from "../bronze/bronze-object.ts";
import type { BronzeObject } from "../bronze/list-bronze.ts";
import type { Catalog } from "../domain/catalog.ts";
import { mergeOrders, type Conflict, type MergePlan } from "../domain/merge-orders.ts";
import { OrderMap } from "../domain/order-map.ts";
import { reject } from "../domain/rejection-reasons.ts";
import { silverColumns } from "./columns.ts";
import type { AddFile, DeltaTable, Snapshot } from "../delta/table.ts";
import { copyRows, readColumns } from "../parquet/read-columns.ts";
import { createTableWriter } from "../parquet/table-writer.ts";
import type { Clock, ObjectStore, StreamRecord } from "../ports.ts";
import { type CommitNote, sentAt } from "./commit-note.ts";
import {
  begun,
  checkRules,
  consumed,
  historyArrival,
  judgedByRules,
  judgedRecords,
  raiseLowWatermark,
  resolutions,
  setAside,
  watermarks,
} from "./transactions.ts";
import { findKnown, type KnownOrders } from "./find-known.ts";
import { listPending, type PendingBronze } from "./list-pending.ts";
import { findQuarantined, stageQuarantine } from "./quarantine-table.ts";
import { beginAttempt, noteReason } from "./set-aside.ts";
import { openBronzeLookup } from "./bronze-lookup.ts";
import { readEvents, type ReadEvents, type RejectedEvent } from "./read-events.ts";
import { createEventReader } from "./unpack-record.ts";
import { createOrderWriter } from "./write-orders.ts";
import { errorMessage } from "../domain/errors.ts";
import { recordPosition } from "../domain/stream-position.ts";

/** The stores, tables and reference data of the refine step. */
export interface RefineContext {
  store: ObjectStore;
  stream: string;
  silver: DeltaTable;
  quarantine: DeltaTable;
  catalog: Catalog;
  customerKey: (customerId: string) => string;
  clock: Clock;
  /** Replaces the default work list (bronze minus consumed objects), in the order to consume; used by a rebuild. */
  listWork?: (snapshot: Snapshot) => Promise<PendingBronze>;
  /** Called after a commit that rejected events, with their number by reason. */
  onRejected?: (reasons: ReadonlyMap<string, number>) => void;
}

/** The limits of one refine run. */
export interface RefineOptions {
  /** A run reads further bronze objects until it has at least this many events, bytes of events or objects. */
  maxEvents?: number;
  maxBytes?: number;
  maxObjects?: number;
  /**
   * A run reads no further record of an object once it has this many events, or bytes of events, of it: what a small
   * object unpacks to has no limit. The next run continues with the record after it.
   */
  maxObjectEvents?: number;
  maxObjectBytes?: number;
  /** A run reads no further record after this time (milliseconds since 1970), and commits what it has. */
  until?: number;
  /** `recent` lists the newest two hours; `full` lists every hour from the low watermark on. */
  sweep?: "recent" | "full";
  /** How long after the hour in its name a bronze object may still appear, in milliseconds. */
  horizonMs?: number;
}

/** What one run did; also stored in the commit's `operationMetrics`. */
export interface RefineSummary {
  /** Silver's newest version after the run; -1 if the table does not exist yet. */
  version: number;
  bronzeObjects: number;
  /** Bronze objects that this run set aside, because it could not read them or they had ended earlier runs. */
  setAsideObjects: number;
  /** Bronze objects still pending. */
  remaining: number;
  events: number;
  accepted: number;
  lines: number;
  /** Copies of stream records that another bronze object of this run also holds. */
  repeatedRecords: number;
  /** Events that an earlier run already accepted or rejected from the same stream position. */
  redeliveredEvents: number;
  eventDuplicates: number;
  supersededRevisions: number;
  /** Events in silver that gave way to an earlier one of a conflict, and are quarantined now. */
  displacedEvents: number;
  quarantined: number;
  filesRead: number;
  filesWritten: number;
  filesRewritten: number;
}

/**
 * Consumes pending bronze objects: commits their orders, and the fact that they are consumed, as one table version.
 * Idempotent. If another writer commits that version first, the run reloads the snapshot and retries (optimistic
 * concurrency). An object that no run gets through is set aside, and the others go on; a rebuild throws instead. Throws
 * if silver was judged by other rules than this program's.
 */
export async function refineSilver(
  refinery: RefineContext,
  {
    maxEvents = 30_000,
    maxBytes = 64 * 1024 * 1024,
    maxObjects = 2000,
    maxObjectEvents = 100_000,
    maxObjectBytes = 64 * 1024 * 1024,
    until = Infinity,
    sweep = "full",
    horizonMs = 48 * 3_600_000,
  }: RefineOptions = {},
): Promise<RefineSummary> {
  for (;;) {
    const snapshot = await refinery.silver.snapshot();
    checkRules(snapshot);
    const now = refinery.clock();
    const pending =
      (await refinery.listWork?.(snapshot)) ??
      (await listPending({ ...refinery, snapshot }, { now, sweep, horizonMs }));
    if (pending.objects.length === 0) return nothingDone(snapshot.version);
    const batch = await readNext(refinery, {
      snapshot,
      now,
      pending: mostToRead(pending.objects, { maxEvents, maxObjects }),
      limits: { maxEvents, maxBytes, maxObjects, maxObjectEvents, maxObjectBytes, until },
    });
    for (const { object, reason } of batch.setAside) await noteReason(refinery.store, { key: object.key, reason, now });
    const summary = await commitBatch(refinery, { snapshot, batch, now, lowWatermark: pending.lowWatermark });
    if (summary !== undefined) {
      return { ...summary, remaining: pending.objects.length - batch.objects.length - batch.setAside.length };
    }
  }
}

/** The objects that one run can read at most, as nearly every record has an event. */
function mostToRead(
  pending: readonly BronzeObject[],
  { maxEvents, maxObjects }: Pick<BatchLimits, "maxEvents" | "maxObjects">,
): readonly BronzeObject[] {
  let records = 0;
  const end = pending.findIndex(({ count }, index) => index >= maxObjects || (records += count) - count >= maxEvents);
  return end === -1 ? pending : pending.slice(0, end);
}

/** Reads the objects that are due, or sets one aside. A rebuild reads what it was given, and sets nothing aside. */
async function readNext(
  refinery: RefineContext,
  run: { snapshot: Snapshot; now: number; pending: readonly BronzeObject[]; limits: BatchLimits },
): Promise<Batch> {
  if (refinery.listWork !== undefined) {
    const batch = await readBatch(refinery, run);
    const [damaged] = batch.setAside;
    if (damaged === undefined) return batch;
    throw new Error(`bronze object ${damaged.object.key} cannot be read: ${damaged.reason}`);
  }
  const attempt = await beginAttempt(refinery.store, run);
  if ("read" in attempt) return await readBatch(refinery, { ...run, pending: attempt.read });
  return { ...emptyBatch(), setAside: [{ object: attempt.setAside, reason: attempt.reason }] };
}

interface Batch extends ReadEvents {
  objects: BronzeObject[];
  /** The last object, if the run judges only some of its records: up to this many, from the first on. */
  begun: { object: BronzeObject; records: number } | undefined;
  /** Objects to set aside, each with the reason. */
  setAside: { object: BronzeObject; reason: string }[];
  repeatedRecords: number;
}

const emptyBatch = (): Batch => ({
  objects: [],
  begun: undefined,
  setAside: [],
  candidates: [],
  rejected: [],
  bytes: 0,
  repeatedRecords: 0,
});

type BatchLimits = Required<Omit<RefineOptions, "sweep" | "horizonMs">>;

/**
 * Reads objects until a limit is reached, at least one record. The last object may exceed the limits of the run, but not
 * those of an object by more than a record. An object that cannot be decoded is to be set aside.
 */
async function readBatch(
  refinery: RefineContext,
  { snapshot, pending, limits }: { snapshot: Snapshot; pending: readonly BronzeObject[]; limits: BatchLimits },
): Promise<Batch> {
  const batch = emptyBatch();
  const seen = new Set<string>();
  for await (const { object, body } of readAhead(refinery.store, pending)) {
    const decoded = await decode(refinery.store, { object, body });
    if ("reason" in decoded) {
      batch.setAside.push({ object, reason: decoded.reason });
      continue;
    }
    const { records } = decoded;
    const [eventsBefore, bytesBefore] = [eventsOf(batch), batch.bytes];
    const isLong = () =>
      eventsOf(batch) - eventsBefore >= limits.maxObjectEvents ||
      batch.bytes - bytesBefore >= limits.maxObjectBytes ||
      refinery.clock() >= limits.until;
    let row = judgedRecords(snapshot, object);
    do {
      const record = records[row++];
      if (record === undefined) break;
      if (isNew(record, seen)) addEvents(batch, readEvents([record], object.key, refinery));
      else batch.repeatedRecords++;
    } while (!isLong());
    if (row < records.length) {
      batch.begun = { object, records: row };
      break;
    }
    batch.objects.push(object);
    const isFull = eventsOf(batch) >= limits.maxEvents || batch.bytes >= limits.maxBytes;
    if (isFull || refinery.clock() >= limits.until) break;
  }
  return batch;
}

function eventsOf({ candidates, rejected }: Batch): number {
  return candidates.length + rejected.length;
}

function addEvents(batch: Batch, { candidates, rejected, bytes }: ReadEvents): void {
  for (const candidate of candidates) batch.candidates.push(candidate);
  for (const event of rejected) batch.rejected.push(event);
  batch.bytes += bytes;
}

const mostReadAhead = { objects: 32, bytes: 32 * 1024 * 1024 };

/** Yields objects in order, each with its body, while the next ones are being read: a store may take long to answer. */
async function* readAhead(store: ObjectStore, objects: readonly BronzeObject[]) {
  const ahead: { object: BronzeObject; body: Promise<Uint8Array | undefined> }[] = [];
  let [next, bytes] = [0, 0];
  for (;;) {
    while (next < objects.length && ahead.length < mostReadAhead.objects) {
      const object = objects[next]!;
      if (ahead.length > 0 && bytes + object.size > mostReadAhead.bytes) break;
      const body = store.get(object.key);
      // It is awaited below, unless the batch is full before.
      body.catch(() => {});
      ahead.push({ object, body });
      bytes += object.size;
      next++;
    }
    const first = ahead.shift();
    if (first === undefined) return;
    bytes -= first.object.size;
    const body = await first.body;
    if (body === undefined) throw new Error(`bronze object ${first.object.key} was listed but cannot be read`);
    yield { object: first.object, body };
  }
}

const mostReads = 3;

/** Decodes an object, if necessary from another copy of its bytes; returns the reason if no copy can be decoded. */
async function decode(
  store: ObjectStore,
  { object: { key }, body }: { object: BronzeObject; body: Uint8Array },
): Promise<{ records: StreamRecord[] } | { reason: string }> {
  let bytes: Uint8Array | undefined = body;
  for (let read = 1; ; read++) {
    try {
      return { records: await decodeBronze(bytes) };
    } catch (error) {
      if (read === mostReads) return { reason: `it is damaged: ${errorMessage(error)}` };
      bytes = (await store.get(key)) ?? new Uint8Array();
    }
  }
}

function isNew(record: StreamRecord, seen: Set<string>): boolean {
  const position = recordPosition(record);
  return seen.size < seen.add(position).size;
}

interface Attempt {
  snapshot: Snapshot;
  batch: Batch;
  now: number;
  lowWatermark: number | undefined;
}

async function commitBatch(refinery: RefineContext, { snapshot, batch, now, lowWatermark }: Attempt) {
  const { silver, store, quarantine } = refinery;
  const known = await findKnown({ store, root: silver.root, snapshot }, batch.candidates);
  const plan = mergeOrders(batch.candidates, known.orders);
  const contradicted = await rejectConflicts(refinery, { snapshot, batch, plan });
  const allRejected = [...batch.rejected, ...contradicted.rejected];
  const quarantined = await findQuarantined({ store, silver, quarantine, snapshot }, allRejected);
  const rejected = allRejected.filter((event) => !quarantined.has(event));
  const staged = rejected.length === 0 ? undefined : await stageQuarantine(refinery, rejected, now);
  const files = await writeOrders(refinery, plan, known);
  const sent = sentAt(plan.accepted);
  const note: CommitNote = { ...(staged && { quarantine: staged }), ...(sent && { sentAt: sent }) };
  const summary = summarise({
    batch,
    plan,
    known,
    files,
    quarantined: rejected.length,
    judgedAgain: quarantined.size + contradicted.judgedBefore,
  });
  const result = await silver.commit({
    readVersion: snapshot.version,
    operation: "MERGE",
    adds: files.adds,
    removes: files.removes,
    transactions: [
      ...consumed(batch.objects, snapshot, now),
      ...(batch.begun === undefined ? [] : [begun(batch.begun.object, batch.begun.records, now)]),
      ...setAside(
        batch.setAside.map(({ object }) => object.key),
        snapshot,
      ),
      ...watermarks(plan.accepted, snapshot),
      ...historyArrival(plan.accepted, snapshot),
      ...resolutions(batch.candidates, plan.conflicts),
      ...raiseLowWatermark(lowWatermark),
      ...judgedByRules(),
    ],
    operationMetrics: summary,
    userMetadata: JSON.stringify(note),
  });
  if (result.committed) {
    if (rejected.length > 0) refinery.onRejected?.(countReasons(rejected));
    return { ...summary, version: result.version };
  }
  // Another writer was faster, so nothing will ever refer to these files.
  const unused = files.adds.map(({ path }) => `${silver.root}/${path}`);
  if (staged !== undefined) unused.push(`${quarantine.root}/${staged.path}`);
  await Promise.all(unused.map((key) => store.delete(key)));
  return undefined;
}

function countReasons(rejected: readonly RejectedEvent[]): Map<string, number> {
  const groups = Map.groupBy(rejected, ({ reason }) => reason);
  return new Map([...groups].map(([reason, events]) => [reason, events.length]));
}

/**
 * Returns the events that lost a conflict, and the number of those that another bronze object brought before. Such an
 * event was judged then, perhaps differently, and a redelivery must change nothing.
 */
async function rejectConflicts(
  refinery: RefineContext,
  { snapshot, batch, plan }: { snapshot: Snapshot; batch: Batch; plan: MergePlan },
): Promise<{ rejected: RejectedEvent[]; judgedBefore: number }> {
  const lookup = openBronzeLookup(refinery);
  const mine = new Set([...batch.objects, ...(batch.begun ? [batch.begun.object] : [])].map(({ key }) => key));
  const judgedEarlier = (object: BronzeObject) => (mine.has(object.key) ? 0 : judgedRecords(snapshot, object));
  const rejected: RejectedEvent[] = [];
  let judgedBefore = 0;
  const eventBytes = createEventReader();
  const ofBatch = plan.conflicts as { candidate: Batch["candidates"][number]; reason: Conflict["reason"] }[];
  // Record by record, so that each of them is split once.
  const inOrder = [...Map.groupBy(ofBatch, ({ candidate }) => candidate.record).values()].flat();
  for (const { candidate, reason } of inOrder) {
    const { record, bronzeKey } = candidate;
    const { position, arrivedAt, event } = candidate;
    if (await lookup.isIn({ position, arrivedAt }, judgedEarlier)) {
      judgedBefore++;
      continue;
    }
    const { detail } = reject(reason, `order ${event.order_id} revision ${event.revision}`).rejection;
    const bytes = eventBytes(record.data, position.recordIndex);
    rejected.push({ reason, detail, position, arrivedAt, bytes, bronzeKey });
  }
  for (const displaced of plan.displaced) rejected.push(await lookup.rejectDisplaced(displaced));
  return { rejected, judgedBefore };
}

/**
 * Writes the accepted orders as data files, one per day. Only a file that holds rows of a replaced revision is
 * rewritten (copy-on-write). Returns the files to add and to remove, and how many order lines were written.
 */
export async function writeOrders(
  refinery: RefineContext,
  { accepted, replaced }: Pick<MergePlan, "accepted" | "replaced">,
  known: KnownOrders,
) {
  const rewrites = Map.groupBy(
    [...replaced].map(([order]) => order),
    ({ orderDate }) => orderDate,
  );
  const adds = [];
  const removes = [];
  let lines = 0;
  for (const [date, orders] of Map.groupBy(accepted, ({ orderDate }) => orderDate)) {
    const added = orders.reduce((sum, { event }) => sum + event.lines.length, 0);
    const writer = createTableWriter(silverColumns, { rows: added });
    const holders = new Set((rewrites.get(date) ?? []).map((order) => known.files.get(order)!));
    for (const { file, body } of holders) {
      const columns = await readColumns(
        body,
        silverColumns.map(({ name }) => name),
      );
      const [ids, stores] = [columns["order_id"] as string[], columns["store_id"] as string[]];
      copyRows(writer, columns, (row) => !replaced.has({ orderDate: date, storeId: stores[row]!, orderId: ids[row]! }));
      removes.push(file);
    }
    const write = createOrderWriter(writer, refinery);
    for (const order of orders) write(order);
    lines += added;
    adds.push(refinery.silver.writeDataFile({ partition: date, ...writer.finish() }));
  }
  return { adds: await allOrNone(refinery, adds), removes, lines };
}

/** Waits for all data files; if one cannot be written, deletes the others, which no commit will refer to. */
async function allOrNone({ store, silver }: RefineContext, writes: readonly Promise<AddFile>[]): Promise<AddFile[]> {
  const results = await Promise.allSettled(writes);
  const written = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  if (written.length === writes.length) return written;
  await Promise.all(written.map(({ path }) => store.delete(`${silver.root}/${path}`)));
  const failed = results.find((result) => result.status === "rejected");
  throw failed!.reason;
}

function summarise(run: {
  batch: Batch;
  plan: MergePlan;
  known: KnownOrders;
  files: { adds: unknown[]; removes: unknown[]; lines: number };
  quarantined: number;
  judgedAgain: number;
}): Omit<RefineSummary, "version" | "remaining"> {
  const { batch, plan, known, files, quarantined, judgedAgain } = run;
  return {
    bronzeObjects: batch.objects.length,
    setAsideObjects: batch.setAside.length,
    events: batch.candidates.length + batch.rejected.length,
    accepted: plan.accepted.length,
    lines: files.lines,
    repeatedRecords: batch.repeatedRecords,
    redeliveredEvents: plan.redeliveredEvents + judgedAgain,
    eventDuplicates: plan.eventDuplicates,
    supersededRevisions: plan.supersededRevisions,
    displacedEvents: plan.displaced.length,
    quarantined,
    filesRead: known.filesRead,
    filesWritten: files.adds.length,
    filesRewritten: files.removes.length,
  };
}

function nothingDone(version: number): RefineSummary {
  const none = { batch: emptyBatch(), known: emptyKnown };
  const plan = mergeOrders([], emptyKnown.orders);
  return {
    ...summarise({ ...none, plan, files: { adds: [], removes: [], lines: 0 }, quarantined: 0, judgedAgain: 0 }),
    version,
    remaining: 0,
  };
}

const emptyKnown: KnownOrders = { orders: new OrderMap(), files: new OrderMap(), filesRead: 0 };
