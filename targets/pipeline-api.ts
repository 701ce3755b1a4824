/** The state machines of `step-functions/`. */
export const workflowNames: readonly string[] = ["bronze_to_silver", "silver_to_gold", "data_quality", "backup"];

/** Those that an embedded home runs once a day by itself. */
export const dailyWorkflows: readonly string[] = ["data_quality", "backup"];

export interface Credentials {
  host: string;
  port: number;
  database: string;
  user: string;
  password: string;
  /** Postgres URL that psql takes as it is. */
  url: string;
}

export interface PipelineStatus {
  /** The folder of an embedded home. */
  dir?: string;
  /** Where a deployed home is; `landing` says how its event source mapping is. */
  deployment?: { environment: string; region: string; stream: string; landing: string };
  /** The process that runs the home; undefined when it was opened for this command only. */
  process?: { pid: number; port: number; startedAt: string };
  /** `shardsBehind`: shards whose newest record has not landed yet; `waitingSeconds`: how long the oldest of those waits. */
  stream: { shards: number; records?: number; bytes?: number; shardsBehind: number; waitingSeconds?: number };
  landing: { invocations?: number; errors?: number; onFailureRecords: number };
  silver: { version: number; files: number; lines: number; days: number };
  quarantine: { events: number };
  gold: { silverVersion: number; windows: number; publishedAt: string | null; corrections: number };
  /** Sent to visible in gold, over the last five minutes in which orders came; null before the first. */
  freshness: { orders: number; medianSeconds: number; p95Seconds: number } | null;
  /** What the newest run of data_quality found: how many rules it checked, and which are red; null before the first. */
  quality: { checkedAt: string; rules: number; errors: string[]; warnings: string[] } | null;
  workflows: WorkflowRun[];
  postgres: { host: string; port: number };
  memory?: { rssBytes: number };
}

/** The newest run of one workflow that had something to do. */
export interface WorkflowRun extends EndedRun {
  workflow: string;
  isRunning?: boolean;
  /** The runs before it, the newest first, nine at the most. */
  earlier: EndedRun[];
}

/** A run that has ended; `error` says why it failed. */
export interface EndedRun {
  startedAt: string;
  milliseconds: number;
  error?: string;
}

/** One check of `./pizza doctor`. */
export interface Check {
  name: string;
  /** Resolves to what was found; throws an error that says what to do. */
  look: () => Promise<string>;
}
