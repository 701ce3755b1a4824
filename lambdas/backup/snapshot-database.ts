import { snapshotDatabase } from "../../pipeline/backup/back-up-warehouse.ts";
import { createHandler, lazy } from "../runtime/create-handler.ts";
import { setting } from "../runtime/settings.ts";

/** Undefined for an existing PostgreSQL outside Aurora, which has no RDS snapshots. */
const open = lazy(async () => {
  if (setting("WAREHOUSE") === "postgres") return undefined;
  const { openRdsSnapshots } = await import("../../adapters/rds-snapshots.ts");
  return openRdsSnapshots({
    cluster: setting("CLUSTER_ARN").split(":").at(-1)!,
    database: setting("DATABASE_NAME"),
    bucket: setting("BACKUP_BUCKET"),
    exportRoleArn: setting("EXPORT_ROLE_ARN"),
    keyArn: setting("KEY_ARN"),
  });
});

/** Advances the database snapshot and its export by one step. */
export const handler = createHandler(
  async (input: { id: string; keepDays: number }) =>
    await snapshotDatabase({ snapshots: await open(), clock: Date.now }, input),
);
