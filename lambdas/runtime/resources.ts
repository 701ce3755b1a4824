import { openS3Store } from "../../adapters/s3.ts";
import { openQuarantine, openSilver } from "../../pipeline/silver/tables.ts";
import { logger, safeError } from "./logger.ts";
import { setting } from "./settings.ts";

/** The lake's bucket. */
export const openStore = () => openS3Store({ bucket: setting("LAKE_BUCKET") });

/** The bucket of the batches that the event source mapping gave up. */
export const openOnFailure = () => openS3Store({ bucket: setting("ON_FAILURE_BUCKET") });

/** The lake's bucket and its two Delta tables. */
export function openLake() {
  const place = {
    store: openStore(),
    clock: Date.now,
    onCheckpointError: (error: unknown) =>
      logger.warn("checkpoint not written", { errorMessage: safeError(error).message }),
  };
  return { ...place, silver: openSilver(place), quarantine: openQuarantine(place) };
}

/** The bucket of the backups. */
export const openBackups = () => openS3Store({ bucket: setting("BACKUP_BUCKET") });
