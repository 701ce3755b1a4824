import type { Snapshot } from "../delta/table.ts";
import type { Candidate, Conflict } from "../domain/merge-orders.ts";
import { isResent } from "../domain/stream-position.ts";
import type { ReadCandidate } from "./read-events.ts";

const watermarkPrefix = "watermark/";
const idleMs = 60_000;
/** A day ends last in the time zone UTC-12. */
const lastOffsetMs = 12 * 3_600_000;

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
      const appId = watermarkPrefix + position.shard;
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
    .filter(([appId]) => appId.startsWith(watermarkPrefix))
    .map(([, transaction]) => transaction);
  const newest = Math.max(...shards.map(({ lastUpdated }) => lastUpdated));
  const busy = shards.filter(({ lastUpdated }) => lastUpdated >= newest - idleMs);
  if (busy.length === 0) return undefined;
  const reached = Math.min(...busy.map(({ version }) => version)) * 1000;
  return new Date(reached - lastOffsetMs).toISOString().slice(0, 10);
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
  for (const candidate of candidates) {
    const { partitionKey } = candidate.record;
    if (!isResent(partitionKey) || conflicts.some((conflict) => conflict.candidate === candidate)) continue;
    closed.add(partitionKey);
  }
  return [...closed].map((appId) => ({ appId, version: 0 }));
}

const redactedPrefix = "redacted/";

/**
 * Returns the transactions that mark bronze records as redacted: they differ from the stream because a customer was
 * removed from them. They expire with the keys of consumed objects; by then no stream retains the original records.
 */
export function redactions(records: readonly { shard: string; sequenceNumber: string }[], lastUpdated: number) {
  return records.map(({ shard, sequenceNumber }) => ({
    appId: `${redactedPrefix}${shard}/${sequenceNumber}`,
    version: 0,
    lastUpdated,
  }));
}

/** Whether silver's log marks the record at `shard/sequence number` as redacted. */
export function isRedacted({ transactions }: Snapshot, position: string): boolean {
  return transactions.has(redactedPrefix + position);
}
