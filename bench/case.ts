/** How large a run of the benchmark is. */
export interface Size {
  /** Order lines that go through landing and refining; the large table holds ten times as many. */
  lines: number;
  /** Measured rounds; medians are taken over them. */
  rounds: number;
  freshnessSeconds: number;
}

export interface Setting {
  /** Where prepared data lies and workers may put theirs. */
  dir: string;
  size: Size;
}

/** What one round did. */
export interface Work {
  /** Events or order lines; 1 where the round itself is what is measured. */
  units: number;
  /** Further figures of the round by name; medians are taken over the rounds. */
  figures?: Record<string, number>;
}

/** One way of doing the work, set up in a process of its own. */
export interface Runner {
  /** What has to be there before each round and is not measured. */
  before?(): Promise<void>;
  run(): Promise<Work>;
  close?(): Promise<void>;
}

/** The same work done in several ways, whose rounds alternate. */
export interface Case {
  title: string;
  /** What the units are, in the plural. */
  unit: string;
  /** Where set, so many rounds instead of the size's. */
  rounds?: number;
  /** False where a round is so long that it needs no warm-up. */
  warmUp?: boolean;
  /** Makes the data that every variant reads, unless it is there already. */
  prepare?(setting: Setting): Promise<void>;
  variants: Record<string, (setting: Setting) => Promise<Runner>>;
}

/** One variant's medians. */
export interface Measured {
  variant: string;
  units: number;
  /** User and system time of the process, all its threads. */
  cpuSeconds: number;
  wallSeconds: number;
  /** Largest less smallest CPU time of a round, as a share of the median. */
  spread: number;
  /** Highest resident memory of the process. */
  peakMiB: number;
  /** Resident memory with the input loaded, before the first round. */
  startMiB: number;
  figures: Record<string, number>;
}

export interface CaseResult {
  name: string;
  title: string;
  unit: string;
  rounds: number;
  variants: Measured[];
}

const modules: Record<string, () => Promise<{ default: Case }>> = {
  landing: () => import("./cases/landing.ts"),
  refining: () => import("./cases/refining.ts"),
  "refining-classic": async () => ({ default: (await import("./cases/refining.ts")).refiningClassic }),
  facts: () => import("./cases/facts.ts"),
  publishing: () => import("./cases/publishing.ts"),
  growth: () => import("./cases/growth.ts"),
  freshness: () => import("./cases/freshness.ts"),
  memory: () => import("./cases/memory.ts"),
};

/** The cases in the order in which they run. */
export const caseNames = Object.keys(modules);

/** Loads one case; throws for a name that is none. */
export async function loadCase(name: string): Promise<Case> {
  const load = modules[name];
  if (load === undefined) throw new Error(`case ${name}: choose from ${caseNames.join(", ")}`);
  return (await load()).default;
}
