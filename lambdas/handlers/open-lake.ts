import { openS3Store } from "../adapters/s3-store.ts";
import { openQuarantine, openSilver } from "../silver/tables.ts";
import { logger } from "./logger.ts";
import { safeError } from "./safe-text.ts";
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
