import { rmSync } from "node:fs";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { openDuckDbLake } from "../adapters/duckdb.ts";
import { openFolderStore } from "../adapters/folder-store.ts";
import { openPostgresWarehouse } from "../adapters/postgres-warehouse.ts";
import { loadCatalog, loadGoldSql, loadMigrations } from "../adapters/project-files.ts";
import { landRecords } from "../pipeline/bronze/land-records.ts";
import type { OrderEvent } from "../pipeline/domain/generated/order-event.types.ts";
import { migrate } from "../pipeline/gold/migrate.ts";
import { planStaleWindows } from "../pipeline/gold/plan-windows.ts";
import { publishCustomerDays, publishDays } from "../pipeline/gold/publish-windows.ts";
import type { ObjectStore, Warehouse } from "../pipeline/ports.ts";
import { refineSilver, type RefineContext } from "../pipeline/silver/refine-silver.ts";
import { openQuarantine, openSilver, orderStream, silverLakeTable } from "../pipeline/silver/tables.ts";
import { createCustomerKey } from "../pipeline/silver/write-orders.ts";
import { startPostgres } from "../targets/local/postgres.ts";

/** Lake and PostgreSQL with the steps of both workflows as separate calls. */
export type BenchPipeline = Awaited<ReturnType<typeof openBenchPipeline>>;

/** Opens the lake in `lakeFolder` and a new PostgreSQL, which is deleted on close. */
export async function openBenchPipeline({ dir, name, lakeFolder }: { dir: string; name: string; lakeFolder: string }) {
  const postgresFolder = join(dir, `${name}-postgres`);
  rmSync(postgresFolder, { recursive: true, force: true });
  const postgres = await startPostgres({ dir: postgresFolder });
  const [owner, writer] = (["owner", "writer"] as const).map((role) =>
    openPostgresWarehouse({ connectionString: postgres.connectionString(role) }),
  );
  await migrate({ warehouse: owner!, migrations: loadMigrations() });
  const store = openFolderStore(lakeFolder);
  const refinery = openRefinery(store);
  const { silver } = refinery;
  const lake = await openDuckDbLake({ root: lakeFolder });
  const warehouse = timed(writer!);
  const gold = { lake, warehouse, sql: goldSql };
  let sequence = BigInt(Date.now()) * 1000n;

  async function plan() {
    const snapshot = await silver.snapshot();
    const changedSince = async (version: number) => (await silver.changes(version, snapshot.version))?.partitions;
    const { version: snapshotVersion, partitions } = snapshot;
    return await planStaleWindows({ warehouse }, { snapshotVersion, partitions: partitions.keys(), changedSince });
  }

  async function publish(windows: string[], silverVersion: number) {
    const table = silverLakeTable(await silver.snapshot(silverVersion), windows);
    return await publishDays(gold, { table, windows, silverVersion });
  }

  return {
    /** Connection string of the database owner. */
    ownerUrl: postgres.connectionString("owner"),
    warehouse,
    silver,
    /** Lands events as one batch. */
    async land(events: readonly OrderEvent[]) {
      const data = zstdCompressSync(events.map((event) => JSON.stringify(event)).join("\n"));
      const record = { shard: "shardId-000000000000", sequenceNumber: String(sequence++), partitionKey: "bench" };
      await landRecords({ store, stream: orderStream }, [{ ...record, arrivedAt: Date.now(), data }]);
    },
    refine: () => refineSilver(refinery, { sweep: "recent" }),
    plan,
    publish,
    /** Publishes every day that changed in silver, as `silver_to_gold` does. */
    async publishChanged() {
      const { batches, silverVersion } = await plan();
      for (const windows of batches) await publish(windows, silverVersion);
    },
    async publishCustomerDays() {
      const { customerBatches, silverVersion } = await plan();
      const windows = customerBatches.flat();
      const table = silverLakeTable(await silver.snapshot(silverVersion), windows);
      await publishCustomerDays(gold, { table, windows, silverVersion });
    },
    async close() {
      await Promise.all([owner!.close(), writer!.close()]);
      await lake.close();
      await postgres.stop();
      rmSync(postgresFolder, { recursive: true, force: true });
    },
  };
}

/** A warehouse that sums up the duration of its queries, in seconds. */
function timed(warehouse: Warehouse): Warehouse & { seconds: number } {
  return {
    seconds: 0,
    async query(sql, parameters) {
      const started = performance.now();
      try {
        return await warehouse.query(sql, parameters);
      } finally {
        this.seconds += (performance.now() - started) / 1000;
      }
    },
  };
}

/** Lake SQL that computes gold's facts. */
export const goldSql = loadGoldSql();

/** Creates the refinery of a store as the targets do. */
export function openRefinery(store: ObjectStore): RefineContext {
  const clock = Date.now;
  return {
    store,
    stream: orderStream,
    silver: openSilver({ store, clock }),
    quarantine: openQuarantine({ store, clock }),
    catalog: loadCatalog(),
    customerKey: createCustomerKey("the benchmark's secret"),
    clock,
  };
}

/** Refines everything pending; returns the number of order lines added to silver and of commits. */
export async function refineAll(refinery: RefineContext): Promise<{ lines: number; commits: number }> {
  const done = { lines: 0, commits: 0 };
  for (let remaining = Number.POSITIVE_INFINITY; remaining > 0;) {
    const summary = await refineSilver(refinery);
    if (summary.quarantined > 0)
      throw new Error(`refining: ${summary.quarantined} events were rejected: see the quarantine`);
    done.lines += summary.lines;
    done.commits += Number(summary.bronzeObjects > 0);
    remaining = summary.remaining;
  }
  return done;
}
