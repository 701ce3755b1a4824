import { openS3Store } from "../adapters/s3-store.ts";
import { setting } from "./settings.ts";

/** The bucket of the backups. */
export const openBackups = () => openS3Store({ bucket: setting("BACKUP_BUCKET") });
