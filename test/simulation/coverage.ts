import type { Choices } from "./choices.ts";

/** Everything that can go wrong in a history. */
export const faultKinds = [
  "store: request fails, nothing done",
  "store: answer lost, written; the repeat gets 412 for one's own write",
  "store: written, and the caller hears an error",
  "store: 409, another write of the key was under way",
  "store: 200 with an error body, nothing written",
  "store: 200 with an error body, written all the same",
  "store: attempt times out, its write lands later",
  "store: list is answered late",
  "store: read is answered late",
  "store: object ends every process that reads it",
  "mapping: call fails",
  "mapping: call succeeds and its answer is lost",
  "mapping: retry with the same batch",
  "mapping: retry with a larger batch",
  "mapping: retry with a smaller batch",
  "mapping: batch is split in two",
  "mapping: batch is given up",
  "mapping: delivered again after success",
  "mapping: two lanes in a shard",
  "stream: resharded",
  "stream: a shard stays idle",
  "stream: answer of a put lost, sent again",
  "workflow: step runs twice",
  "workflow: step fails",
  "workflow: step succeeds and its answer is lost",
  "workflow: step goes on behind the back of its repeat",
  "workflow: step runs once more, long after",
  "workflow: two executions at once",
  "workflow: execution stops",
  "workflow: stopped execution is resumed",
  "process: killed before a request is sent",
  "process: killed before the answer comes",
  "process: stands still for long, then goes on",
  "warehouse: request fails, nothing done",
  "warehouse: rolled back",
  "warehouse: answer of a commit lost",
  "warehouse: restarts",
  "clock: jumps an hour ahead",
  "clock: steps back",
  "events: sent twice",
  "events: out of order",
  "events: another payload under one revision",
  "events: revision moves its order within the day",
  "events: order id used again on another day",
  "events: order id used again in another store",
  "events: order id used again by another till of the store",
  "events: till writes another offset",
  "events: refused",
  "events: batch cut short",
  "events: a till's number is never sent",
] as const;

export type FaultKind = (typeof faultKinds)[number];

/** The defences against the faults; counted each time that one had an effect. */
export const guardKinds = [
  "bronze: object is there already",
  "bronze: given-up batch landed again",
  "silver: record in two objects of one run",
  "silver: event taken from the same position before",
  "silver: same event sent again",
  "silver: older revision gives way",
  "silver: event refused",
  "silver: other payload refused",
  "silver: change of time refused",
  "silver: accepted event gives way to an earlier one",
  "silver: same in another order of arrival",
  "silver: object set aside and brought back",
  "delta: version taken by another, decided again",
  "delta: own commit recognised",
  "delta: checkpoint written",
  "compaction: files joined",
  "quarantine: staged file published",
  "gold: nothing to publish",
  "gold: day skipped by the fence",
  "gold: reported day corrected",
  "verify: receipt balances",
  "verify: number that was never sent named",
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
