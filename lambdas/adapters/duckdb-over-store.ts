import type { LakeQuery, ObjectStore } from "../ports.ts";
import { openDuckDbLake } from "./duckdb-lake.ts";
import { openFileCache } from "./file-cache.ts";

/**
 * DuckDB on a lake that is not a folder: the Parquet files of a query are copied into `folder` first. They never change, so
 * copies are kept for later queries, up to `maxBytes` (else three quarters of the disk), the one unused for the longest going first. A query whose files alone are more than
 * that ends in an error.
 */
export async function openDuckDbOverStore({
  store,
  folder,
  maxBytes,
  memoryLimit,
}: {
  store: ObjectStore;
  folder: string;
  maxBytes?: number;
  /** What DuckDB may take, such as `512MB`. */
  memoryLimit?: string;
}): Promise<LakeQuery & { close(): void }> {
  const cache = await openFileCache({ store, folder, ...(maxBytes !== undefined && { maxBytes }) });
  const lake = await openDuckDbLake({ root: cache.root, ...(memoryLimit !== undefined && { memoryLimit }) });
  return {
    query: (sql, parameters, tables) =>
      cache.holding(
        tables.flatMap(({ files }) => files),
        () => lake.query(sql, parameters, tables),
      ),
    close: () => lake.close(),
  };
}
