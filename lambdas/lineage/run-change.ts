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
