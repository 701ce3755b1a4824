import type { Candidate, KnownOrder } from "../domain/merge-orders.ts";
import type { Snapshot } from "../lake/delta-table.ts";

/** Transaction ids under which silver keeps, for an order that came with a later revision first, its day since 1970. */
const aheadPrefix = "ahead/";
/** Is there once any order is; most tables need not be asked for each. */
const anyAhead = "ahead";
const dayMs = 86_400_000;

/**
 * Days on which a candidate's order may lie though its event names another one, each with those orders. A first revision
 * asks where a later one came first; a later one whose first is not known on its day may lie anywhere. The usual events,
 * a new order and the change of one that is known, ask nothing.
 */
export function otherDays(
  candidates: readonly Candidate[],
  known: ReadonlyMap<string, KnownOrder>,
  { partitions, transactions }: Snapshot,
): Map<string, Set<string>> {
  const days = new Map<string, Set<string>>();
  const note = (day: string, orderId: string) => days.set(day, (days.get(day) ?? new Set()).add(orderId));
  const strays = new Set<string>();
  const isAnyAhead = transactions.has(anyAhead);
  for (const { event } of candidates) {
    if (event.revision > 0 && !known.has(event.order_id)) strays.add(event.order_id);
  }
  if (strays.size === 0 && !isAnyAhead) return days;
  for (const { event } of candidates) {
    if (event.revision > 0 || known.has(event.order_id)) continue;
    strays.delete(event.order_id);
    const ahead = isAnyAhead ? transactions.get(aheadPrefix + event.order_id) : undefined;
    if (ahead !== undefined) note(dateOf(ahead.version), event.order_id);
  }
  if (strays.size > 0) for (const day of partitions.keys()) for (const orderId of strays) note(day, orderId);
  return days;
}

/** What a commit has to remember of orders that came with a later revision first; it never expires. */
export function rememberAhead(accepted: readonly Candidate[], ahead: ReadonlySet<string>) {
  if (ahead.size === 0) return [];
  const orders = accepted.filter(({ event }) => ahead.has(event.order_id));
  return [
    { appId: anyAhead, version: 1 },
    ...orders.map(({ event, orderDate }) => ({
      appId: aheadPrefix + event.order_id,
      version: Date.parse(orderDate) / dayMs,
    })),
  ];
}

function dateOf(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10);
}
