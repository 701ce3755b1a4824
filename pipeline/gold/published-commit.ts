import type { DeltaTable, Snapshot } from "../delta/table.ts";
import type { Warehouse } from "../ports.ts";

interface Layers {
  silver: DeltaTable;
  warehouse: Warehouse;
}

/**
 * Returns silver's newest version, after a check that the lake still has the commit that gold was published from. A version
 * number alone does not identify a commit: if its file is lost, the next commit gets the same number, and gold would count as
 * up to date.
 */
export async function publishableSnapshot(layers: Layers): Promise<Snapshot> {
  const { lost, snapshot } = await compareCommits(layers);
  if (lost === undefined) return snapshot;
  throw new Error(
    `${lost}: restore the lost files of ${layers.silver.root}/_delta_log/ from a copy, ` +
      "or recompute silver and gold from bronze with ./pizza rebuild",
  );
}

/** Records the commit that a publish is planned from, before anything of it is visible. */
export async function notePublishedCommit({ silver, warehouse }: Layers, version: number): Promise<void> {
  const id = await commitId(silver, version);
  if (id !== undefined) await warehouse.query("select ops.note_silver_commit($1::bigint, $2)::text", [version, id]);
}

/** If the lake lacks the commit that gold was published from, makes every day due for a publish. */
export async function forgetLostCommits(layers: Layers): Promise<void> {
  const { lost } = await compareCommits(layers);
  if (lost !== undefined) await layers.warehouse.query("select ops.forget_silver_versions()::text");
}

/** Compares the commit that gold was published from with the lake; `lost` says what the lake lacks. */
export async function compareCommits({
  silver,
  warehouse,
}: Layers): Promise<{ lost?: string; isReplaced?: boolean; snapshot: Snapshot }> {
  const [row] = await warehouse.query<{ version: string | null; noted: string | null }>(
    `select
       greatest(
         (select max(greatest(silver_version, customers_version)) from ops.windows),
         (select value::bigint from ops.cursor where name = 'silver_version')
       ) as version,
       (select value from ops.cursor where name = 'silver_commit') as noted`,
  );
  // Read after the ledger, which another run may be advancing: the lake is never behind what gold showed before.
  const snapshot = await silver.snapshot();
  // A data directory of an earlier release has no commit noted.
  const [noted = "-1", id] = row?.noted?.split(" ") ?? [];
  const version = Math.max(Number(row?.version ?? -1), Number(noted));
  if (version > snapshot.version) {
    const lost = `gold was published from silver version ${version}, but the lake ends at version ${snapshot.version}`;
    return { lost, snapshot };
  }
  const found = id === undefined ? undefined : await commitId(silver, Number(noted));
  if (found === undefined || found === id) return { snapshot };
  const lost = `silver version ${noted} is a different commit from the one that gold was published from`;
  return { lost, isReplaced: true, snapshot };
}

/** The id that its writer gave a commit; undefined for a foreign writer, and once the log no longer has the commit. */
async function commitId(silver: DeltaTable, version: number): Promise<string | undefined> {
  if (version < 0) return undefined;
  return (await silver.changes(version - 1, version))?.commits[0]?.txnId;
}
