import { join } from "node:path";
import { openFolderStore } from "../../../adapters/folder-store.ts";
import { readCatalogFiles } from "../../../adapters/project-files.ts";
import { openSilver } from "../../../pipeline/silver/tables.ts";
import { publishCatalog } from "../../../pipeline/gold/migrate.ts";
import { openGoldPipeline, type GoldPipeline } from "../gold/gold-fixture.ts";
import type { FixtureOrder } from "../gold/silver-fixture.ts";

/** Orders of three days, with customers, a cancelled order, and texts that are hard to quote. */
export const someOrders: FixtureOrder[] = [
  { id: "a", at: "2015-01-30T12:00:00", lines: [["hawaiian_m", 1]], customer: "c1" },
  {
    id: "b",
    at: "2015-01-31T13:30:00",
    lines: [
      ["hawaiian_m", 2],
      ["veggie_veg_l", 1],
    ],
    customer: "c2",
  },
  { id: "c", at: "2015-02-01T20:15:00", lines: [["hawaiian_s", 3]], status: "cancelled" },
  { id: "d", at: "2015-02-01T21:15:00", lines: [["ital_supr_l", 1]], store: "chi-01", customer: `c'3"\\` },
];

/** Opens gold with some published days, a backup store, and a silver table with one version. */
export async function openBackupPipeline() {
  const pipeline = await openGoldPipeline();
  const store = openFolderStore(join(pipeline.dir, "lake"));
  const silver = openSilver({ store, clock: Date.now });
  await silver.commit({
    readVersion: -1,
    operation: "WRITE",
    adds: [],
    removes: [],
    transactions: [],
    operationMetrics: {},
  });
  const backups = openFolderStore(join(pipeline.dir, "backups"));
  const catalog = readCatalogFiles();
  return { ...pipeline, silver, backups, catalog, clock: Date.now, publishOrders: () => publishOrders(pipeline) };
}

async function publishOrders(pipeline: GoldPipeline): Promise<void> {
  await publishCatalog(pipeline.writer, readCatalogFiles());
  const { customers } = await pipeline.publish(0, someOrders);
  await customers();
  await pipeline.writer.query("select ops.report_windows('2015-02-01'::date)");
  await pipeline.writer.query("select ops.advance_cursor(0::bigint)::text");
  await pipeline.writer.query(
    "insert into ops.runs (workflow, started_at, milliseconds, output) values ('long', now(), 1, to_jsonb(repeat('ä', 40000)))",
  );
}

export type BackupPipeline = Awaited<ReturnType<typeof openBackupPipeline>>;
