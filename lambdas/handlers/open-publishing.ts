import { loadGoldSql } from "../adapters/project-files.ts";
import type { Publishing } from "../gold/publish-plan.ts";
import type { Clock } from "../ports.ts";
import { openLakeSql } from "./open-lake-sql.ts";
import { openLake } from "./open-lake.ts";
import { openWarehouse } from "./open-warehouse.ts";

/** What publishing to gold works with. */
export async function openPublishing(): Promise<Publishing & { clock: Clock }> {
  const { store, silver, clock } = openLake();
  return { silver, clock, sql: loadGoldSql(), lake: await openLakeSql(store), warehouse: await openWarehouse() };
}
