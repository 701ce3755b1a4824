import { snapshotDatabase } from "../../pipeline/backup/back-up-warehouse.ts";
import { createHandler, lazy } from "../runtime/create-handler.ts";
import { setting } from "../runtime/settings.ts";

/** A PostgreSQL that was there already has no snapshots that AWS could make. */
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

/** Takes the next step of the database's own snapshot and its export. */
export const handler = createHandler(
  async (input: { id: string; keepDays: number }) =>
    await snapshotDatabase({ snapshots: await open(), clock: Date.now }, input),
);
