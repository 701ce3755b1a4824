import type { Snapshot } from "../delta/table.ts";
import { addDays } from "../domain/dates.ts";
import { silverLakeTable } from "../silver/tables.ts";
import { chooseRules } from "./check-quality.ts";
import { evaluateRule, noReceipt, type QualitySources } from "./evaluate-rule.ts";

/** When each store was last heard of, and who is silent against their habit. */
export interface StoresSeen {
  /** By store id; `lastOrderAt` is when its newest order was placed (ISO 8601, UTC). */
  stores: { store: string; lastOrderAt: string }[];
  /** Up to ten offenders of the rule `silent_tills`. */
  silent: string[];
}

/** A store that has sold nothing in this many days before the newest order date is not named. */
const shownDays = 35;

/** Reads the newest weeks of silver, at a snapshot and a time (milliseconds since 1970). */
export async function storesSeen(
  sources: QualitySources,
  { snapshot, now }: { snapshot: Snapshot; now: number },
): Promise<StoresSeen> {
  const days = [...snapshot.partitions.keys()].toSorted();
  const newest = days.at(-1);
  if (newest === undefined) return { stores: [], silent: [] };
  const since = addDays(newest, -shownDays);
  const table = silverLakeTable(
    snapshot,
    days.filter((day) => day >= since),
  );
  const [rows, { examples }] = await Promise.all([
    sources.lake.query(seenSql, [], [table]),
    evaluateRule(sources, chooseRules("silent_tills")[0]!, { snapshot, receipt: noReceipt, now }),
  ]);
  const stores = rows.map((row) => ({ store: String(row["store_id"]), lastOrderAt: String(row["last_order_at"]) }));
  return { stores, silent: examples };
}

const seenSql = `select store_id, max(ordered_at) as last_order_at
from silver_order_lines
group by store_id
order by store_id`;
