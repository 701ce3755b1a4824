import type { DeltaTable } from "../lake/delta-table.ts";
import type { LakeTable, ObjectStore } from "../ports.ts";
import { silverLakeTable } from "./tables.ts";

/**
 * Silver for SQL as it was at a version, or as it is. An earlier version whose data files are not all there any more is an
 * error: forgetting a customer removes them.
 */
export async function versionTable(store: ObjectStore, silver: DeltaTable, version?: number): Promise<LakeTable> {
  const table = silverLakeTable(await silver.snapshot(version));
  if (version === undefined) return table;
  const there = await silverFilesThere(store, silver);
  const gone = table.files.filter((file) => !there.has(file)).length;
  if (gone === 0) return table;
  throw new Error(
    `silver version ${version} can no longer be read: ${gone} of its ${table.files.length} data files are removed, as of a customer ` +
      "who was forgotten; ask a later version",
  );
}

/** Keys of all that lies in silver's folder now, whatever version names it. */
export async function silverFilesThere(store: ObjectStore, silver: DeltaTable): Promise<ReadonlySet<string>> {
  return new Set((await store.list(`${silver.root}/`)).map(({ key }) => key));
}
