import type { ObjectSetAside } from "../pipeline/silver/set-aside.ts";

/** The state machines of `step-functions/`. */
export const workflowNames: readonly string[] = ["bronze_to_silver", "silver_to_gold", "data_quality", "backup"];

/** The workflows that a local pipeline runs once a day. */
export const dailyWorkflows: readonly string[] = ["data_quality", "backup"];

export interface Credentials {
  host: string;
  port: number;
  database: string;
  user: string;
  password: string;
  /** A PostgreSQL URL for psql. */
  url: string;
}

export interface PipelineStatus {
  /** The data directory of a local pipeline. */
  dir?: string;
  /** Where a pipeline is deployed; `landing` is the state of its event source mapping. */
  deployment?: { environment: string; region: string; stream: string; landing: string };
  /** The process that runs the local pipeline; undefined if it was opened for this command only. */
  process?: { pid: number; port: number; startedAt: string };
  /** `shardsBehind`: shards whose newest record has not landed; `waitingSeconds`: age of the oldest such record. */
  stream: { shards: number; records?: number; bytes?: number; shardsBehind: number; waitingSeconds?: number };
  landing: { invocations?: number; errors?: number; onFailureRecords: number };
  /** Bronze objects that no run reads until `./pizza retry`. */
  setAside: ObjectSetAside[];
  silver: { version: number; files: number; lines: number; days: number };
  quarantine: { events: number };
  gold: { silverVersion: number; windows: number; publishedAt: string | null; corrections: number };
  /** Time from sent to visible in gold, over the last five minutes with orders; null before the first. */
  freshness: { orders: number; medianSeconds: number; p95Seconds: number } | null;
  /** The newest run of data_quality: the number of rules, and the names of the red ones; null before the first. */
  quality: { checkedAt: string; rules: number; errors: string[]; warnings: string[] } | null;
  workflows: WorkflowRun[];
  postgres: { host: string; port: number };
  memory?: { rssBytes: number };
}

/** The newest run of a workflow that had work to do. */
export interface WorkflowRun extends EndedRun {
  workflow: string;
  isRunning?: boolean;
  /** Up to nine earlier runs, the newest first. */
  earlier: EndedRun[];
}

/** A finished run; `error` is the reason of its failure. */
export interface EndedRun {
  startedAt: string;
  milliseconds: number;
  error?: string;
}

/** One check of `./pizza doctor`. */
export interface Check {
  name: string;
  /** Resolves to what was found; throws an error that says what to do. */
  run: () => Promise<string>;
}
