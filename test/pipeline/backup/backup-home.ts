import { join } from "node:path";
import { openFolderStore } from "../../../adapters/folder-store.ts";
import { openSilver } from "../../../pipeline/silver/tables.ts";
import { openGoldHome, type GoldHome } from "../gold/gold-home.ts";
import type { FixtureOrder } from "../gold/silver-fixture.ts";

/** Orders of three days, with customers, a cancelled one, and words that are hard to quote. */
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

/** Gold with some published days, a backup store, and a silver table that has one version. */
export async function openBackupHome() {
  const home = await openGoldHome();
  const store = openFolderStore(join(home.dir, "lake"));
  const silver = openSilver({ store, clock: Date.now });
  await silver.commit({
    readVersion: -1,
    operation: "WRITE",
    adds: [],
    removes: [],
    transactions: [],
    operationMetrics: {},
  });
  const backups = openFolderStore(join(home.dir, "backups"));
  return { ...home, silver, backups, clock: Date.now, publishOrders: () => publishOrders(home) };
}

async function publishOrders(home: GoldHome): Promise<void> {
  const { customers } = await home.publish(0, someOrders);
  await customers();
  await home.writer.query("select ops.report_windows('2015-02-01'::date)");
  await home.writer.query("select ops.advance_cursor(0::bigint)::text");
  await home.writer.query(
    "insert into ops.runs (workflow, started_at, milliseconds, output) values ('long', now(), 1, to_jsonb(repeat('ä', 40000)))",
  );
}

export type BackupHome = Awaited<ReturnType<typeof openBackupHome>>;
