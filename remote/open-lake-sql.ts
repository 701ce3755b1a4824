import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LakeQuery, ObjectStore } from "../lambdas/ports.ts";
import type { Deployment } from "./deployment.ts";
import type { LakeSql } from "./remote-home.ts";

/** SQL on the deployment's lake, by Athena, or by DuckDB in this process over the files it fetches. */
export async function openLakeSql(
  { athenaWorkgroup, glueDatabase, lakeBucket, environment }: Deployment,
  { store, lakeSql }: { store: ObjectStore; lakeSql: LakeSql | undefined },
): Promise<LakeQuery & { close(): void }> {
  const hasAthena = athenaWorkgroup !== undefined && glueDatabase !== undefined;
  if (lakeSql === "duckdb" || (lakeSql === undefined && !hasAthena)) return await openDuckDb(store);
  if (!hasAthena) throw new Error(`environment ${environment} has no Athena workgroup: choose --lake-sql duckdb`);
  const { openAthenaLake } = await import("../lambdas/adapters/athena-lake.ts");
  const lake = openAthenaLake({ workgroup: athenaWorkgroup, database: glueDatabase, bucket: lakeBucket, store });
  return { query: (...question) => lake.query(...question), close: () => {} };
}

/** The quarantine holds raw orders: what was fetched is gone when the command ends. */
async function openDuckDb(store: ObjectStore): Promise<LakeQuery & { close(): void }> {
  const { openDuckDbOverStore } = await import("../lambdas/adapters/duckdb-over-store.ts");
  const folder = mkdtempSync(join(tmpdir(), "pizza-lake-"));
  const lake = await openDuckDbOverStore({ store, folder });
  return {
    query: (...question) => lake.query(...question),
    close: () => {
      lake.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
