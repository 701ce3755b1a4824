import type { Home } from "../local/home-api.ts";
import type { Deployment } from "./deployment.ts";
import type { FunctionLogs } from "./function-logs.ts";

/** A deployed home, as the command line uses it. */
export interface RemoteHome extends Home {
  deployment: Deployment;
  logs: FunctionLogs;
}

export type LakeSql = "athena" | "duckdb";

export interface RemoteHomeOptions {
  environment: string;
  /** What reads the lake; Athena where the environment has a workgroup. */
  lakeSql?: LakeSql;
  /** Hears what is being waited for. */
  onProgress?: (text: string) => void;
}
