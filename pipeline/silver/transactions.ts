import type { Snapshot } from "../delta/table.ts";
import type { Candidate, Conflict } from "../domain/merge-orders.ts";
import { hourMs, hourStart, utcDate } from "../domain/dates.ts";
import { isResent, recordPosition, type RecordPosition } from "../domain/stream-position.ts";
import type { BronzeObject } from "../bronze/list-bronze.ts";
import type { ReadCandidate } from "./read-events.ts";

/**
 * What silver stores in its Delta log as `txn` actions (Delta protocol, "Transaction Identifiers"): an app id, a
 * version and the time of the last update. A commit writes them together with its data files, so silver and this state
 * never differ. An app id without `lastUpdated` never expires; one with it expires from the log after
 * `delta.setTransactionRetentionDuration`.
 *
 * | app id | version | meaning | written by | expires |
 * | --- | --- | --- | --- | --- |
 * | key of a bronze object | 0 | silver has consumed the object | refine, forget | after 7 days |
 * | `begun/<key of a bronze object>` | number of records | how many of its first records are judged | refine | after 7 days |
 * | `bronze/settled-before` | hours since 1970 | low watermark: all earlier hours are consumed | full sweep | never |
 * | `watermark/<shard>` | seconds since 1970 | latest accepted `ordered_at` of the shard | refine | after 7 idle days |
 * | `history` | seconds since 1970 | arrival of the newest event of a replay or an import | refine | never |
 * | `rules` | the rules' version | the rules that judged every event in silver | refine, rebuild | never |
 * | `resent/<event position>` | 0 | a resent event resolves the quarantined event at that position | refine | never |
 * | `set-aside/<bronze key>` | `setAsideStates` | unread by runs until it is brought back | refine, bringBack | never |
 * | `redacted/<record position>` | 0 | the record's bytes in bronze were redacted | forget | after 7 days |
 *
 * Logs of releases before 0.3.0 also have `ahead` and `ahead/<order id>`, which nothing reads any more.
 *
 * The quarantine table has one app id: `silver/order_lines`, the silver version up to which it is published.
 */
export const prefixes = {
  lowWatermark: "bronze/settled-before",
  watermark: "watermark/",
  history: "history",
  rules: "rules",
  redacted: "redacted/",
  setAside: "set-aside/",
  begun: "begun/",
} as const;

/**
 * The version of the rules that decide what an event becomes: what names an order, its business date, what is rejected.
 * A change of any of them raises it, because events that were judged by different rules could count twice or not at
 * all. Version 2, of release 0.3.0: an order is a store, a business date and an order id, and the date is the store's.
 */
export const rulesVersion = 2;

/** The transaction of a commit whose events were judged by the rules of this program. */
export const judgedByRules = () => [{ appId: prefixes.rules, version: rulesVersion }];

/** Whether silver was judged by other rules than those of this program; a table without a commit was not judged yet. */
export function isJudgedByOtherRules({ version, transactions }: Snapshot): boolean {
  return version >= 0 && judgedBy({ transactions }) !== rulesVersion;
}

/** Throws if silver was judged by other rules, and says what to do. */
export function checkRules(snapshot: Snapshot): void {
  if (!isJudgedByOtherRules(snapshot)) return;
  throw new Error(
    `silver was judged by version ${judgedBy(snapshot)} of the rules, and this program has version ${rulesVersion}: ` +
      (judgedBy(snapshot) < rulesVersion
        ? "./pizza rebuild judges all events again, and so does ./pizza start"
        : "use the newer release that made it"),
  );
}

function judgedBy({ transactions }: Pick<Snapshot, "transactions">): number {
  return transactions.get(prefixes.rules)?.version ?? 1;
}

/** Whether an app id records progress of reading bronze, rather than a fact about an order. */
export const isProgress = (appId: string): boolean =>
  /^(bronze\/|begun\/|set-aside\/|watermark\/|history$)/.test(appId);

const idleMs = 60_000;
/** A day ends last in the time zone UTC-12. */
const lastOffsetMs = 12 * 3_600_000;

/** The transactions of a commit that consumes these bronze objects. */
export function consumed(objects: readonly Pick<BronzeObject, "key">[], snapshot: Snapshot, now: number) {
  const broughtBack = objects.filter(({ key }) => setAsideState(snapshot, key) === setAsideStates.broughtBack);
  return [
    ...objects.map(({ key }) => ({ appId: key, version: 0, lastUpdated: now })),
    ...broughtBack.map(({ key }) => moveTo("consumed", snapshot, key)),
  ];
}

/** The transaction of a commit that has judged the first records of a bronze object, but not all. */
export function begun({ key }: Pick<BronzeObject, "key">, records: number, now: number) {
  return { appId: prefixes.begun + key, version: records, lastUpdated: now };
}

/** Returns how many of a bronze object's records, from the first on, silver has judged: Infinity if it is consumed. */
export function judgedRecords(snapshot: Snapshot, object: Pick<BronzeObject, "key" | "hour">): number {
  if (isConsumed(snapshot, object)) return Infinity;
  return snapshot.transactions.get(prefixes.begun + object.key)?.version ?? 0;
}

/**
 * What became of a bronze object that was set aside: the version of its transaction modulo 3. A version never
 * decreases, and an object may be set aside again.
 */
const setAsideStates = { consumed: 0, setAside: 1, broughtBack: 2 } as const;

function setAsideState({ transactions }: Snapshot, key: string): number | undefined {
  const version = transactions.get(prefixes.setAside + key)?.version;
  return version === undefined ? undefined : version % 3;
}

function moveTo(state: keyof typeof setAsideStates, { transactions }: Snapshot, key: string) {
  const appId = prefixes.setAside + key;
  const after = (transactions.get(appId)?.version ?? 0) + 1;
  return { appId, version: after + ((setAsideStates[state] - (after % 3) + 3) % 3) };
}

/** The transactions of a commit that sets these bronze objects aside: no run reads them until they are brought back. */
export const setAside = (keys: readonly string[], snapshot: Snapshot) =>
  keys.map((key) => moveTo("setAside", snapshot, key));

/** The transactions of a commit that lets the next run read these bronze objects again. */
export const bringBack = (keys: readonly string[], snapshot: Snapshot) =>
  keys.map((key) => moveTo("broughtBack", snapshot, key));

/** Returns the keys of the bronze objects that are set aside, or that were brought back and not consumed yet. */
export function keysSetAside(snapshot: Snapshot, state: "setAside" | "broughtBack" = "setAside"): string[] {
  return [...snapshot.transactions.keys()]
    .filter((appId) => appId.startsWith(prefixes.setAside))
    .map((appId) => appId.slice(prefixes.setAside.length))
    .filter((key) => setAsideState(snapshot, key) === setAsideStates[state]);
}

/**
 * Whether silver has consumed a bronze object. The keys of consumed objects expire from the log, but only after the low
 * watermark has passed their hour.
 */
export function isConsumed(snapshot: Snapshot, { key, hour }: Pick<BronzeObject, "key" | "hour">): boolean {
  const state = setAsideState(snapshot, key);
  if (state !== undefined) return state === setAsideStates.consumed;
  return snapshot.transactions.has(key) || hourStart(hour) / hourMs < lowWatermark(snapshot);
}

/** When silver consumed a bronze object, in milliseconds since 1970; 0 if its key has already expired from the log. */
export function consumedAt({ transactions }: Snapshot, { key }: Pick<BronzeObject, "key">): number {
  return transactions.get(key)?.lastUpdated ?? 0;
}

/** Hours since 1970 before which all bronze is consumed and no more can arrive; 0 before the first full sweep. */
export function lowWatermark({ transactions }: Snapshot): number {
  return transactions.get(prefixes.lowWatermark)?.version ?? 0;
}

/** The transaction that raises the low watermark; none for undefined. */
export function raiseLowWatermark(hours: number | undefined) {
  return hours === undefined ? [] : [{ appId: prefixes.lowWatermark, version: hours }];
}

/**
 * Returns the event-time watermark of each shard as transactions of silver's table. `version` is the latest
 * `ordered_at` among its accepted orders in seconds since 1970; `lastUpdated` is the latest arrival. Neither ever
 * decreases.
 */
export function watermarks(accepted: readonly Candidate[], { transactions }: Snapshot) {
  const shards = new Map<string, { appId: string; version: number; lastUpdated: number }>();
  for (const { position, orderedAt, arrivedAt } of accepted) {
    let mark = shards.get(position.shard);
    if (mark === undefined) {
      const appId = prefixes.watermark + position.shard;
      mark = { appId, ...(transactions.get(appId) ?? { version: 0, lastUpdated: 0 }) };
      shards.set(position.shard, mark);
    }
    mark.version = Math.max(mark.version, Math.floor(orderedAt / 1_000_000));
    mark.lastUpdated = Math.max(mark.lastUpdated, Math.floor(arrivedAt / 1000));
  }
  return [...shards.values()];
}

/**
 * Returns the date (`YYYY-MM-DD`) that every busy shard has reached in every time zone, or undefined before the first
 * order. Days before it are complete except for late orders. A shard that has been silent for a minute longer than the
 * busiest one does not hold the date back.
 */
export function watermarkDate({ transactions }: Snapshot): string | undefined {
  const shards = [...transactions]
    .filter(([appId]) => appId.startsWith(prefixes.watermark))
    .map(([, transaction]) => transaction);
  const newest = Math.max(...shards.map(({ lastUpdated }) => lastUpdated));
  const busy = shards.filter(({ lastUpdated }) => lastUpdated >= newest - idleMs);
  if (busy.length === 0) return undefined;
  const reached = Math.min(...busy.map(({ version }) => version)) * 1000;
  return utcDate(reached - lastOffsetMs);
}

/** Whether a till's name says that it sends history: orders that are older than their arrival. */
const isHistory = (producerId: string): boolean => /^(replay|import):/.test(producerId);

/** The transaction that records the arrival of the newest event of a replay or an import; none without one. */
export function historyArrival(accepted: readonly Candidate[], { transactions }: Snapshot) {
  let newest = 0;
  for (const { event, arrivedAt } of accepted) {
    if (isHistory(event.producer.producer_id)) newest = Math.max(newest, Math.floor(arrivedAt / 1_000_000));
  }
  const known = transactions.get(prefixes.history)?.version ?? 0;
  return newest > known ? [{ appId: prefixes.history, version: newest }] : [];
}

/**
 * Returns the date (`YYYY-MM-DD`) before which days may be reported at a time (milliseconds since 1970): they are over
 * in every time zone, and every busy shard has passed them. Undefined before the first order, and for a minute after
 * the last event of a replay or an import, which fills past days in any order.
 */
export function reportableUntil(snapshot: Snapshot, now: number): string | undefined {
  const history = (snapshot.transactions.get(prefixes.history)?.version ?? 0) * 1000;
  const isUnderWay = history <= now && now < history + idleMs;
  const watermark = watermarkDate(snapshot);
  if (isUnderWay || watermark === undefined) return undefined;
  const today = utcDate(now - lastOffsetMs);
  return watermark < today ? watermark : today;
}

/**
 * Returns the resolutions of quarantined events by valid resent ones, as transactions of silver's table. `appId` is the
 * partition key, which names the rejected event. They never expire, and a rebuild from bronze produces the same ones.
 */
export function resolutions(
  candidates: readonly ReadCandidate[],
  conflicts: readonly Conflict[],
): { appId: string; version: number }[] {
  const closed = new Set<string>();
  const contradicted = new Set(conflicts.map(({ candidate }) => candidate));
  for (const candidate of candidates) {
    const { partitionKey } = candidate.record;
    if (!isResent(partitionKey) || contradicted.has(candidate)) continue;
    closed.add(partitionKey);
  }
  return [...closed].map((appId) => ({ appId, version: 0 }));
}

/**
 * Returns the transactions that mark bronze records as redacted: they differ from the stream because a customer was
 * removed from them. They expire with the keys of consumed objects; by then no stream retains the original records.
 */
export function redactions(records: readonly RecordPosition[], lastUpdated: number) {
  return records.map((record) => ({
    appId: prefixes.redacted + recordPosition(record),
    version: 0,
    lastUpdated,
  }));
}

/** Whether silver's log marks the record at `shard/sequence number` as redacted. */
export function isRedacted({ transactions }: Snapshot, position: string): boolean {
  return transactions.has(prefixes.redacted + position);
}
