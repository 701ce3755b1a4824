import { openS3Store } from "../../adapters/s3.ts";
import { openQuarantine, openSilver } from "../../pipeline/silver/tables.ts";
import { logger, safeError } from "./logger.ts";
import { setting } from "./settings.ts";

/** Opens the lake bucket. */
export const openStore = () => openS3Store({ bucket: setting("LAKE_BUCKET") });

/** Opens the bucket of the on-failure destination. */
export const openOnFailure = () => openS3Store({ bucket: setting("ON_FAILURE_BUCKET") });

/** Opens the lake bucket and its two Delta tables. */
export function openLake() {
  const options = {
    store: openStore(),
    clock: Date.now,
    onCheckpointError: (error: unknown) =>
      logger.warn("checkpoint not written", { errorMessage: safeError(error).message }),
  };
  return { ...options, silver: openSilver(options), quarantine: openQuarantine(options) };
}

/** Opens the backup bucket. */
export const openBackups = () => openS3Store({ bucket: setting("BACKUP_BUCKET") });
