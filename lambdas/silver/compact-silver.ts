import { compactTable, type CompactSummary } from "../lake/compact.ts";
import type { DeltaTable } from "../lake/delta-table.ts";
import type { ObjectStore } from "../ports.ts";

const dayMs = 24 * 3_600_000;
/** Time travel reaches back this far; data files that no version names are kept as long as a slow writer may need. */
const retention = { logRetentionMs: 30 * dayMs, orphanRetentionMs: 7 * dayMs };

/** Joins silver's small files; with a full sweep, also removes what no kept version of the two tables needs any more. */
export async function compactSilver(
  { silver, quarantine, store }: { silver: DeltaTable; quarantine: DeltaTable; store: ObjectStore },
  { sweep }: { sweep: "recent" | "full" },
): Promise<CompactSummary> {
  const compacted = await compactTable({ table: silver, store });
  if (sweep === "full") for (const table of [silver, quarantine]) await table.cleanUp(retention);
  return compacted;
}
