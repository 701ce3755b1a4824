import { madeAt } from "../lake/data-file-name.ts";
import type { DeltaTable } from "../lake/delta-table.ts";
import { readColumns } from "../lake/read-columns.ts";
import { sideLakes } from "../rebuild/side-lake.ts";
import type { Clock, Eraser, ObjectStore } from "../ports.ts";

/** A younger file that no version names may be about to be committed. */
const orphanMs = 7 * 24 * 3_600_000;

interface Place {
  store: ObjectStore;
  eraser: Eraser;
  clock: Clock;
}

/**
 * Removes data files of earlier versions that hold the customer: those of silver that bear the old token, and every one of
 * the quarantine, whose files are only replaced to take a customer out. Gives their number. What a rebuild that was killed
 * has left holds copies of both, and goes too; one that goes on meanwhile has to begin again anyhow.
 */
export async function eraseOldVersions(
  place: Place,
  { silver, quarantine, token }: { silver: DeltaTable; quarantine: DeltaTable; token: string },
): Promise<number> {
  let erased = 0;
  for (const path of await formerFiles(place, silver)) {
    const key = `${silver.root}/${path}`;
    const body = await place.store.get(key);
    if (body === undefined) continue;
    if (!(await readColumns(body, ["customer_key"]))["customer_key"]!.includes(token)) continue;
    await place.eraser.erase(key);
    erased++;
  }
  for (const path of await formerFiles(place, quarantine)) {
    await place.eraser.erase(`${quarantine.root}/${path}`);
    erased++;
  }
  for (const { key } of await place.store.list(sideLakes)) await place.eraser.erase(key);
  return erased;
}

/** Data files that lie in the lake and are not part of the table any more. */
async function formerFiles({ store, clock }: Place, { root, ...table }: DeltaTable): Promise<string[]> {
  const { files, removed } = await table.snapshot();
  const paths = (await store.list(`${root}/`))
    .map(({ key }) => key.slice(root.length + 1))
    .filter((path) => path.endsWith(".parquet") && !path.startsWith("_delta_log/") && !files.has(path));
  return paths.filter((path) => removed.has(path) || (madeAt(path) ?? Infinity) < clock() - orphanMs);
}
