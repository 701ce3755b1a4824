import type { ObjectSetAside } from "../pipeline/silver/set-aside.ts";
import type { StoresSeen } from "../pipeline/quality/stores-seen.ts";
import type { NotAnswering } from "./answers.ts";

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

/**
 * The state of a pipeline. What belongs to a part that did not answer in time is null, and `notAnswering` names that
 * part.
 */
export interface PipelineStatus {
  /** When it was read, ISO 8601. */
  at: string;
  /** The data directory of a local pipeline. */
  dir?: string;
  /** Where a pipeline is deployed; `landing` is the state of its event source mapping. */
  deployment?: { environment: string; region: string; stream: string; landing: string };
  /** The process that runs the local pipeline; absent if `./pizza stop` ended it or it never ran. */
  process?: PipelineProcess;
  notAnswering: NotAnswering[];
  /** Operations that somebody asked for and that take longer than some seconds; absent if nothing runs. */
  ongoing?: OngoingOperation[];
  /** `shardsBehind`: shards whose newest record has not landed; `waitingSeconds`: age of the oldest such record. */
  stream: { shards: number; records?: number; bytes?: number; shardsBehind: number; waitingSeconds?: number } | null;
  /** `failing`: since when no batch has landed, and why not; absent if the newest one has. */
  landing: {
    invocations?: number;
    errors?: number;
    onFailureRecords: number;
    failing?: { since: string; error: string };
  } | null;
  /** Bronze objects that no run reads until `./pizza retry`. */
  setAside: ObjectSetAside[] | null;
  silver: { version: number; files: number; lines: number; days: number } | null;
  /** All events that were ever rejected, and those that are not resolved. */
  quarantine: { events: number; open: OpenQuarantine | null } | null;
  /** When each store of the newest weeks was last heard of, and who is silent against their habit; local only. */
  stores?: StoresSeen | null;
  gold: { silverVersion: number; windows: number; publishedAt: string | null; corrections: number } | null;
  /** Time from sent to visible in gold, over the last five minutes with orders; null before the first. */
  freshness: { orders: number; medianSeconds: number; p95Seconds: number } | null;
  /** The newest receipt of a run of data_quality; null before the first. */
  receipt: { checkedAt: string; balanced: boolean; findings: number } | null;
  /** The newest run of data_quality: the number of rules, and the names of the red ones; null before the first. */
  quality: { checkedAt: string; rules: number; errors: string[]; warnings: string[] } | null;
  workflows: WorkflowRun[];
  postgres: { host: string; port: number } | null;
  disk?: { freeBytes: number };
  memory?: { rssBytes: number };
}

/** A status in which every layer has answered. */
export type AnsweredStatus = PipelineStatus & {
  [Layer in "stream" | "landing" | "setAside" | "silver" | "quarantine" | "gold" | "postgres"]: NonNullable<
    PipelineStatus[Layer]
  >;
};

/** The status itself if every layer has answered; throws with the parts that have not. */
export function answered(status: PipelineStatus): AnsweredStatus {
  const { notAnswering, stream, landing, setAside, silver, quarantine, gold, postgres } = status;
  if (stream && landing && setAside && silver && quarantine && gold && postgres) return status as AnsweredStatus;
  const [first] = notAnswering;
  if (first === undefined) throw new Error("the pipeline is still opening: try again");
  throw new Error(noAnswer(first));
}

/** Says that a part does not answer, since when, and what it said. */
export function noAnswer({ part, since, error }: NotAnswering): string {
  const reason = error === undefined ? "" : `: ${error}`;
  return `${part} ${error === undefined ? "does not answer" : "fails"} since ${since.slice(0, 19)}Z${reason}`;
}

/** A call in progress, such as `query` or `verify`, and since when (ISO 8601). */
export interface OngoingOperation {
  operation: string;
  since: string;
}

/** `killed`: it ended without `./pizza stop`; `hung`: it runs and does not answer. */
export interface PipelineProcess {
  pid: number;
  port: number;
  startedAt: string;
  state: "running" | "hung" | "killed";
  /** When it last showed that it was alive, ISO 8601; absent if nothing is known of it. */
  lastSeenAt?: string;
}

/** What a status may take, and for whom it is. */
export interface StatusRequest {
  /** It is asked about once a second: figures that take long to compute may be some seconds old. */
  isFrequent?: boolean | undefined;
  /** The time for all questions; two of them wait for each other at most. */
  seconds?: number | undefined;
}

/** How long a status takes at most, unless somebody asks for more. */
export const statusSeconds = 5;

/** A question may take two fifths of a status, since the second one begins when the first is answered. */
export const questionMs = ({ seconds = statusSeconds }: StatusRequest): number => seconds * 400;

/** The quarantined events that are not resolved. */
export interface OpenQuarantine {
  events: number;
  /** The quarantined amount in cents, of those whose amount can be read. */
  cents: number;
  /** Events whose amount cannot be read. */
  unreadable: number;
  /** Arrival of the oldest, ISO 8601; null if there is none. */
  oldestAt: string | null;
}

/** The newest run of a workflow that had work to do. */
export interface WorkflowRun extends EndedRun {
  workflow: string;
  isRunning?: boolean;
  /** Of a run in progress: the state of its state machine, and since when it is in it (ISO 8601). */
  state?: string;
  stateSince?: string;
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
