import type { Conflict } from "../domain/merge-orders.ts";
import { isResent } from "../domain/resent.ts";
import type { ReadCandidate } from "./read-events.ts";

/**
 * What valid events that were sent again in place of refused ones close, as transactions of silver's table: `appId` is the
 * partition key, which names the refused event. They never expire; a rebuild from bronze gives the same.
 */
export function closings(
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
