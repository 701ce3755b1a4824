import type { LakeQuery, ObjectStore } from "../pipeline/ports.ts";

/** What runs SQL on a lake in S3: Athena, or DuckDB in this process over copies of the files in `folder`. */
export type LakeEngine =
  | { engine: "athena"; workgroup: string; database: string; bucket: string }
  | { engine: "duckdb"; folder: string };

/** Opens the engine for the lake in `store`; only its own client is loaded. */
export async function openLakeEngine(settings: LakeEngine, store: ObjectStore): Promise<LakeQuery & { close(): void }> {
  if (settings.engine === "duckdb") {
    const { openDuckDbOverStore } = await import("./duckdb-over-store.ts");
    return await openDuckDbOverStore({ store, folder: settings.folder });
  }
  const { openAthenaLake } = await import("./athena.ts");
  const { workgroup, database, bucket } = settings;
  const athena = openAthenaLake({ workgroup, database, bucket, store });
  return { query: (...question) => athena.query(...question), close: () => {} };
}
