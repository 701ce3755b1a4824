import type { Choices } from "./choices.ts";

/** Everything that can go wrong in a history. */
export const faultKinds = [
  "store: request fails without effect",
  "store: write succeeds, response is lost; the retry gets 412 for its own write",
  "store: write succeeds, caller gets an error",
  "store: 409, concurrent write of the same key",
  "store: 200 with an error body, nothing written",
  "store: 200 with an error body, but written",
  "store: attempt times out, its write takes effect later",
  "store: list is delayed",
  "store: read is delayed",
  "store: object crashes every process that reads it",
  "mapping: call fails",
  "mapping: call succeeds, response is lost",
  "mapping: retry with the same batch",
  "mapping: retry with a larger batch",
  "mapping: retry with a smaller batch",
  "mapping: batch is split in two",
  "mapping: batch is sent to the on-failure destination",
  "mapping: batch is redelivered after success",
  "mapping: two concurrent batches of a shard",
  "stream: reshard",
  "stream: a shard stays idle",
  "stream: response to a put is lost, record is resent",
  "workflow: step runs twice",
  "workflow: step fails",
  "workflow: step succeeds, response is lost",
  "workflow: timed-out step keeps running during its retry",
  "workflow: step runs again much later",
  "workflow: two concurrent executions",
  "workflow: execution stops",
  "workflow: stopped execution is resumed",
  "process: killed before a request is sent",
  "process: killed before the response arrives",
  "process: pauses for a long time, then continues",
  "warehouse: request fails without effect",
  "warehouse: transaction is rolled back",
  "warehouse: response to a commit is lost",
  "warehouse: restarts",
  "clock: jumps an hour forward",
  "clock: goes backwards",
  "events: sent twice",
  "events: out of order",
  "events: different payload for the same revision",
  "events: revision changes its order's time within the day",
  "events: order id reused on another day",
  "events: order id reused in another store",
  "events: order id reused by another till of the store",
  "events: till writes a different UTC offset",
  "events: invalid",
  "events: truncated batch",
  "events: a till's sequence number is never sent",
] as const;

export type FaultKind = (typeof faultKinds)[number];

/** The defences against the faults; counted each time that one had an effect. */
export const guardKinds = [
  "bronze: object exists already",
  "bronze: failed batch is redriven",
  "silver: the same record in two objects of a run",
  "silver: event of a stream position that was consumed before",
  "silver: duplicate event",
  "silver: older revision is superseded",
  "silver: event is rejected",
  "silver: conflicting payload is rejected",
  "silver: changed order time is rejected",
  "silver: accepted event is superseded by an earlier one",
  "silver: same rows after another order of arrival",
  "silver: object is set aside and retried",
  "delta: another writer commits the version first, run retries",
  "delta: writer recognizes its own commit",
  "delta: checkpoint is written",
  "compaction: files are merged",
  "quarantine: staged file is published",
  "gold: nothing to publish",
  "gold: day is skipped by the fence",
  "gold: reported day is corrected",
  "verify: receipt balances",
  "verify: reports a number that was never sent",
] as const;

export type GuardKind = (typeof guardKinds)[number];

/** How often each kind occurred, over all histories. */
export interface Coverage {
  faults: Partial<Record<FaultKind, number>>;
  guards: Partial<Record<GuardKind, number>>;
}

/** Draws the faults of one history and counts them. */
export class Faults implements Coverage {
  readonly faults: Coverage["faults"] = {};
  readonly guards: Coverage["guards"] = {};
  /** What happened, in words, if a trace is requested. */
  readonly trace: string[] | undefined;
  /** The share of requests that fail, per cent; 0 when the storm is over. */
  rate = 0;
  private readonly choices: Choices;

  constructor(choices: Choices, isTraced: boolean) {
    this.choices = choices;
    this.trace = isTraced ? [] : undefined;
  }

  /** One of these faults, or usually none. `rate` is in per cent, by default this history's. */
  draw<Kind extends FaultKind>(kinds: readonly Kind[], rate = this.rate): Kind | undefined {
    if (this.rate === 0 || kinds.length === 0 || !this.choices.chance(rate)) return undefined;
    const kind = this.choices.pick(kinds);
    this.fired(kind);
    return kind;
  }

  fired(kind: FaultKind): void {
    this.faults[kind] = (this.faults[kind] ?? 0) + 1;
    this.note(`*** ${kind}`);
  }

  acted(kind: GuardKind, times = 1): void {
    if (times > 0) this.guards[kind] = (this.guards[kind] ?? 0) + times;
  }

  note(text: string): void {
    this.trace?.push(text);
  }
}

/** Adds one count to another. */
export function addCoverage(sum: Coverage, { faults, guards }: Coverage): void {
  for (const kind of faultKinds) if (faults[kind]) sum.faults[kind] = (sum.faults[kind] ?? 0) + faults[kind];
  for (const kind of guardKinds) if (guards[kind]) sum.guards[kind] = (sum.guards[kind] ?? 0) + guards[kind];
}

/** The counts as a table, including kinds that never occurred. */
export function coverageTable({ faults, guards }: Coverage): string {
  const lines = (title: string, kinds: readonly string[], counts: Record<string, number | undefined>) => [
    title,
    ...kinds.map((kind) => `${String(counts[kind] ?? 0).padStart(10)}  ${kind}`),
  ];
  return [...lines("FAULTS", faultKinds, faults), "", ...lines("GUARDS", guardKinds, guards)].join("\n");
}
