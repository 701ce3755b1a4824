import type { AddFile } from "../delta/table.ts";
import type { Candidate } from "../domain/merge-orders.ts";

/** What a commit of silver says about itself in `commitInfo.userMetadata`, as JSON. */
export interface CommitNote {
  /** A staged file of the quarantine table, to be published there. */
  quarantine?: Pick<AddFile, "path" | "size" | "rows" | "stats">;
  sentAt?: SentAt;
}

/** The note of a commit; commits without one (compaction) have an empty note. */
export function readNote({ userMetadata }: { userMetadata?: string | undefined }): CommitNote {
  return userMetadata === undefined ? {} : (JSON.parse(userMetadata) as CommitNote);
}

/** When the orders of one commit were sent, microseconds since 1970; freshness is measured from here. */
export interface SentAt {
  orders: number;
  p50: number;
  p95: number;
}

const dayMicros = 24 * 3600 * 1_000_000;

/**
 * Median and 95th percentile of the moments of sending. A till that sends now says so in `emitted_at`; an event replayed
 * from the past counts from its arrival, else its freshness would be its age.
 */
export function sentAt(orders: readonly Candidate[]): SentAt | undefined {
  if (orders.length === 0) return undefined;
  const moments = new Float64Array(orders.length);
  for (let index = 0; index < orders.length; index++) {
    const { emittedAt, arrivedAt } = orders[index]!;
    moments[index] = Math.abs(arrivedAt - emittedAt) < dayMicros ? emittedAt : arrivedAt;
  }
  moments.sort();
  // The longest wait is the earliest moment: the 95th percentile of waits is the 5th of moments.
  const at = (share: number) => moments[Math.min(moments.length - 1, Math.floor(share * moments.length))]!;
  return { orders: orders.length, p50: at(0.5), p95: at(0.05) };
}
