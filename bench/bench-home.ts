import { rmSync } from "node:fs";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { openDuckDbLake } from "../lambdas/adapters/duckdb-lake.ts";
import { openFolderStore } from "../lambdas/adapters/folder-store.ts";
import { openPostgresWarehouse } from "../lambdas/adapters/postgres-warehouse.ts";
import { loadMigrations } from "../lambdas/adapters/project-files.ts";
import { landRecords } from "../lambdas/bronze/land-records.ts";
import type { OrderEvent } from "../lambdas/domain/generated/order-event.types.ts";
import { migrate } from "../lambdas/gold/migrate.ts";
import { planWindows } from "../lambdas/gold/plan-windows.ts";
import { publishCustomers } from "../lambdas/gold/publish-customers.ts";
import { publishWindows } from "../lambdas/gold/publish-windows.ts";
import type { Warehouse } from "../lambdas/ports.ts";
import { refineSilver } from "../lambdas/silver/refine-silver.ts";
import { orderStream, silverLakeTable } from "../lambdas/silver/tables.ts";
import { startPostgres } from "../local/postgres.ts";
import { goldSql } from "./gold-sql.ts";
import { openRefinery } from "./refinery.ts";

/** Lake and PostgreSQL with the steps of the two workflows, to be called one by one. */
export type BenchHome = Awaited<ReturnType<typeof openBenchHome>>;

/** Opens the lake in `lakeFolder` and a PostgreSQL of its own, which is removed again on close. */
export async function openBenchHome({ dir, name, lakeFolder }: { dir: string; name: string; lakeFolder: string }) {
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
    return await planWindows({ warehouse }, { snapshotVersion, partitions: partitions.keys(), changedSince });
  }

  async function publish(windows: string[], silverVersion: number) {
    const table = silverLakeTable(await silver.snapshot(silverVersion), windows);
    return await publishWindows(gold, { table, windows, silverVersion });
  }

  return {
    /** Connects as the owner of the database. */
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
    /** Publishes every day that silver changed, as `silver_to_gold` does. */
    async publishChanged() {
      const { batches, silverVersion } = await plan();
      for (const windows of batches) await publish(windows, silverVersion);
    },
    async publishCustomers() {
      const { customerBatches, silverVersion } = await plan();
      const windows = customerBatches.flat();
      const table = silverLakeTable(await silver.snapshot(silverVersion), windows);
      await publishCustomers(gold, { table, windows, silverVersion });
    },
    async close() {
      await Promise.all([owner!.close(), writer!.close()]);
      lake.close();
      await postgres.stop();
      rmSync(postgresFolder, { recursive: true, force: true });
    },
  };
}

/** A warehouse that knows how long it has been waited for, in seconds. */
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
