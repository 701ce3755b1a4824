import type { Snapshot } from "../lake/delta-table.ts";

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
