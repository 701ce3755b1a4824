import { createHash } from "node:crypto";

/** The parts of EventBridge's `Step Functions Execution Status Change` event that are used here. */
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
    /** JSON; null if it is too long for an event. */
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
 * Converts an execution's status change to a change of a workflow run. Undefined if the status does not change the run,
 * or if the state machine is not in `machines` (ARNs by workflow).
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

/** Returns the error message; the cause of a failed Lambda function is JSON. */
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

/** Returns the name-based UUID (version 5) of an ARN, so that all events of an execution have the same run id. */
function uuidOf(arn: string): string {
  const bytes = createHash("sha1").update(urlNamespace).update(arn).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x50;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** The event types of an OpenLineage run. */
export type RunState = "START" | "COMPLETE" | "FAIL" | "ABORT";

/** A state change of a workflow run. */
export interface RunChange {
  workflow: string;
  /** A UUID, the same in all changes of the run. */
  runId: string;
  state: RunState;
  /** Time of the change, milliseconds since 1970. */
  at: number;
  /** Start of the run, milliseconds since 1970. */
  startedAt: number;
  /** The output of a completed run; absent if it was too long for the event. */
  output?: Record<string, unknown>;
  /** Why a run failed. */
  error?: string;
}
