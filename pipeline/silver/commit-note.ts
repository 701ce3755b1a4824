import type { AddFile } from "../delta/table.ts";
import type { Candidate } from "../domain/merge-orders.ts";

/** What a silver commit stores in `commitInfo.userMetadata`, as JSON. */
export interface CommitNote {
  /** The data file of the events that this commit rejected, staged until it is added to the quarantine table. */
  quarantine?: Pick<AddFile, "path" | "size" | "rows" | "stats">;
  sentAt?: SentAt;
}

/** Returns the note of a commit; empty for a commit without one, such as a compaction. */
export function readNote({ userMetadata }: { userMetadata?: string | undefined }): CommitNote {
  return userMetadata === undefined ? {} : (JSON.parse(userMetadata) as CommitNote);
}

/** When the orders of one commit were sent: their count and percentiles, in microseconds since 1970. */
export interface SentAt {
  orders: number;
  p50: number;
  p95: number;
}

const dayMicros = 24 * 3600 * 1_000_000;

/**
 * Returns when the orders of a commit were sent, or undefined if it has none. A live till's `emitted_at` is the sending
 * time. A replayed event counts from its arrival, because its `emitted_at` would report its age as latency.
 */
export function sentAt(orders: readonly Candidate[]): SentAt | undefined {
  if (orders.length === 0) return undefined;
  const moments = new Float64Array(orders.length);
  for (let index = 0; index < orders.length; index++) {
    const { emittedAt, arrivedAt } = orders[index]!;
    moments[index] = Math.abs(arrivedAt - emittedAt) < dayMicros ? emittedAt : arrivedAt;
  }
  moments.sort();
  // The earliest moment has the longest latency: the 95th percentile of latency is the 5th percentile of moments.
  const at = (share: number) => moments[Math.min(moments.length - 1, Math.floor(share * moments.length))]!;
  return { orders: orders.length, p50: at(0.5), p95: at(0.05) };
}
