import type { LakeQuery, ObjectStore } from "../pipeline/ports.ts";

/** SQL engine for a lake in S3: Athena, or DuckDB in this process on copies of the files in `folder`. */
export type LakeEngine =
  | { engine: "athena"; workgroup: string; database: string; bucket: string }
  | { engine: "duckdb"; folder: string };

/** Opens the engine for the lake in `store`; loads only the client of that engine. */
export async function openLakeEngine(
  settings: LakeEngine,
  store: ObjectStore,
): Promise<LakeQuery & { close(): Promise<void> }> {
  if (settings.engine === "duckdb") {
    const { openDuckDbOverStore } = await import("./duckdb-over-store.ts");
    return await openDuckDbOverStore({ store, folder: settings.folder });
  }
  const { openAthenaLake } = await import("./athena.ts");
  const { workgroup, database, bucket } = settings;
  const athena = openAthenaLake({ workgroup, database, bucket, store });
  return { query: (...query) => athena.query(...query), close: async () => {} };
}
