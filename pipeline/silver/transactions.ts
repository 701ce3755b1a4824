import type { Snapshot } from "../delta/table.ts";
import type { Candidate, Conflict } from "../domain/merge-orders.ts";
import { isResent } from "../domain/stream-position.ts";
import type { ReadCandidate } from "./read-events.ts";

const watermarkPrefix = "watermark/";
const idleMs = 60_000;
/** The last place on earth where a day ends is twelve hours behind UTC. */
const lastOffsetMs = 12 * 3_600_000;

/**
 * How far each shard has come in event time, as transactions of silver's table: `version` is the latest moment among
 * its accepted orders in seconds since 1970, `lastUpdated` the latest arrival. Neither ever falls.
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
 * The date that every busy shard has reached in every time zone: days before it are complete but for late orders. A shard that has been
 * silent for a minute longer than the busiest does not hold it back.
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
 * What valid events that were sent again in place of refused ones close, as transactions of silver's table: `appId` is the
 * partition key, which names the refused event. They never expire; a rebuild from bronze gives the same.
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
 * Transactions by which silver keeps that records in bronze are not what the stream took: a customer was taken out of them. They
 * expire as the names of consumed objects do, and by then no stream holds the records as they were.
 */
export function redactions(records: readonly { shard: string; sequenceNumber: string }[], lastUpdated: number) {
  return records.map(({ shard, sequenceNumber }) => ({
    appId: `${redactedPrefix}${shard}/${sequenceNumber}`,
    version: 0,
    lastUpdated,
  }));
}

/** Whether a version of silver says so of the record at `shard/sequence number`. */
export function isRedacted({ transactions }: Snapshot, position: string): boolean {
  return transactions.has(redactedPrefix + position);
}
