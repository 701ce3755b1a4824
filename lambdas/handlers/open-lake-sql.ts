import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LakeQuery, ObjectStore } from "../ports.ts";
import { setting } from "./settings.ts";

/** Where a function with DuckDB keeps the data files that it has fetched. */
const folder = join(tmpdir(), "lake");

/** SQL on the lake as the settings say; only its own client is loaded. */
export async function openLakeSql(store: ObjectStore): Promise<LakeQuery> {
  if (setting("LAKE_SQL") === "duckdb") {
    const { openDuckDbOverStore } = await import("../adapters/duckdb-over-store.ts");
    return await openDuckDbOverStore({ store, folder });
  }
  const { openAthenaLake } = await import("../adapters/athena-lake.ts");
  return openAthenaLake({
    workgroup: setting("ATHENA_WORKGROUP"),
    database: setting("GLUE_DATABASE"),
    bucket: setting("LAKE_BUCKET"),
    store,
  });
}
