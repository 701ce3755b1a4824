import type { ExplainRequest, Explanation } from "../pipeline/explain/explain-row.ts";
import type { Corrections } from "../pipeline/gold/list-corrections.ts";
import type { Receipt } from "../pipeline/domain/receipt.ts";
import type { BackupInfo } from "../pipeline/backup/manifest.ts";
import type { HeldOrder, QuarantinedOrder } from "../pipeline/quarantine/list-quarantined.ts";
import type { ForgetSummary } from "../pipeline/forget/forget-customer.ts";
import type { OrderTrace } from "../pipeline/trace/trace-order.ts";
import type { RebuildRequest } from "../pipeline/rebuild/rebuild.ts";
import type { RebuildReport } from "../pipeline/rebuild/report.ts";
import type { EventSink } from "../pipeline/ports.ts";
import type { QualityReport } from "../pipeline/quality/check-quality.ts";
import type { SilverProfile } from "../pipeline/quality/profile-silver.ts";

/** The state machines of `step-functions/`. */
export const workflowNames: readonly string[] = ["bronze_to_silver", "silver_to_gold", "data_quality", "backup"];

/** Those that an embedded home runs once a day by itself. */
export const dailyWorkflows: readonly string[] = ["data_quality", "backup"];

/** What the command line can ask of a home, whether it runs in this process or in another. */
export interface Pipeline {
  sink: EventSink;
  status(): Promise<PipelineStatus>;
  /** Runs a workflow now, to its end. */
  run(workflow: string): Promise<{ workflow: string; milliseconds: number; output: Record<string, unknown> }>;
  /** Resolves when all that was sent before is in gold, customers included. */
  drain(): Promise<void>;
  verify(): Promise<Receipt>;
  /** Every refused event, oldest first. */
  rejected(): Promise<QuarantinedOrder[]>;
  /** What silver holds of these orders. */
  heldOrders(orderIds: readonly string[]): Promise<HeldOrder[]>;
  /** Every place where an order is. */
  trace(orderId: string): Promise<OrderTrace>;
  /** A row of gold, or one column of it, down to its order lines. */
  explain(request: ExplainRequest): Promise<Explanation>;
  /** What changed in gold since a moment (ISO 8601) though it had been reported. */
  corrections(asked: { since: string }): Promise<Corrections>;
  /** Checks the quality rules, or the one of this name, on the data as they are now; keeps nothing and tells nobody. */
  quality(options?: { rule?: string | undefined }): Promise<QualityReport>;
  /** What silver's columns hold in the newest week, beside the week before. */
  profile(): Promise<SilverProfile>;
  /** Takes a customer out of every layer, and brings gold up to date. */
  forget(customerId: string): Promise<ForgetSummary>;
  /** SQL on gold as the reader role, or on the lake's tables, at a version of silver. */
  query(sql: string, options: { lake: boolean; version?: number | undefined }): Promise<Record<string, unknown>[]>;
  credentials(): Promise<Credentials>;
  /** Works days out anew from bronze or silver, compares them with what is published, and publishes what differs. */
  rebuild(request: RebuildRequest): Promise<RebuildReport>;
  /** Every whole backup, the newest first. */
  backups(): Promise<BackupInfo[]>;
  close(): Promise<void>;
}

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
