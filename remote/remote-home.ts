import type { BackupSummary } from "../lambdas/backup/back-up-warehouse.ts";
import type { Home } from "../local/home-api.ts";
import type { Deployment } from "./deployment.ts";
import type { FunctionLogs } from "./function-logs.ts";

/** A deployed home, as the command line uses it. */
export interface RemoteHome extends Home {
  deployment: Deployment;
  logs: FunctionLogs;
  /** Restores a backup, the newest that was proven where none is named, into an empty warehouse. */
  restore(id: string | undefined): Promise<BackupSummary>;
}

export type LakeSql = "athena" | "duckdb";

export interface RemoteHomeOptions {
  environment: string;
  /** What reads the lake; Athena where the environment has a workgroup. */
  lakeSql?: LakeSql;
  /** Hears what is being waited for. */
  onProgress?: (text: string) => void;
}
