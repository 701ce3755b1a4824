import { createHash } from "node:crypto";

/** What EventBridge says of an execution of a state machine, as far as it is read here. */
export interface ExecutionStatusChange {
  account: string;
  region: string;
  detail: {
    executionArn: string;
    stateMachineArn: string;
    status: "RUNNING" | "SUCCEEDED" | "FAILED" | "TIMED_OUT" | "ABORTED" | "PENDING_REDRIVE";
    /** Milliseconds since 1970; some emulators write seconds, or ISO 8601. */
    startDate: number | string;
    stopDate?: number | string | null;
    redriveDate?: number | string | null;
    /** JSON; null where it would be too long for an event. */
    output?: string | null;
    error?: string | null;
    cause?: string | null;
  };
}

const states: Record<string, RunState | undefined> = {
  RUNNING: "START",
  SUCCEEDED: "COMPLETE",
  FAILED: "FAIL",
  TIMED_OUT: "FAIL",
  ABORTED: "ABORT",
};

/**
 * A change of an execution's status as a change of a run; undefined where it is none, or the state machine is not among
 * `machines`, the ARNs by workflow.
 */
export function changeOf(
  { detail }: ExecutionStatusChange,
  machines: Readonly<Record<string, string>>,
): RunChange | undefined {
  const workflow = Object.keys(machines).find((name) => machines[name] === detail.stateMachineArn);
  const state = states[detail.status];
  if (workflow === undefined || state === undefined) return undefined;
  const { startDate, stopDate, redriveDate, output } = detail;
  const began = millisecondsOf(startDate);
  const at = state === "START" ? (redriveDate ?? startDate) : (stopDate ?? startDate);
  return {
    workflow,
    runId: uuidOf(detail.executionArn),
    state,
    at: millisecondsOf(at),
    startedAt: began,
    ...(state === "COMPLETE" && output && { output: JSON.parse(output) as Record<string, unknown> }),
    ...((state === "FAIL" || state === "ABORT") && { error: reasonOf(detail) }),
  };
}

function reasonOf({ status, error, cause }: ExecutionStatusChange["detail"]): string {
  return [status, error, messageOf(cause)].filter(Boolean).join(": ");
}

/** A function that fails gives its error as JSON. */
function messageOf(cause: string | null | undefined): string | undefined {
  if (!cause) return undefined;
  try {
    return (JSON.parse(cause) as { errorMessage?: string }).errorMessage ?? cause;
  } catch {
    return cause;
  }
}

function millisecondsOf(moment: number | string): number {
  if (typeof moment === "string") return Date.parse(moment);
  return moment < 1e11 ? Math.round(moment * 1000) : moment;
}

const urlNamespace = Buffer.from("6ba7b8119dad11d180b400c04fd430c8", "hex");

/** The name-based UUID (version 5) of an ARN: every event of an execution gives the same. */
function uuidOf(arn: string): string {
  const bytes = createHash("sha1").update(urlNamespace).update(arn).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x50;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** What became of a run of a workflow. */
export type RunState = "START" | "COMPLETE" | "FAIL" | "ABORT";

/** One step in the life of a run. */
export interface RunChange {
  workflow: string;
  /** A UUID, the same in all changes of the run. */
  runId: string;
  state: RunState;
  /** When, milliseconds since 1970. */
  at: number;
  /** When the run began, milliseconds since 1970. */
  startedAt: number;
  /** What a run that is complete gave back; absent where that was too long to be told. */
  output?: Record<string, unknown>;
  /** Why a run failed. */
  error?: string;
}
