/** Size of a benchmark run. */
export interface Size {
  /** Order lines for landing and refining; the large table has ten times as many. */
  lines: number;
  /** Measured rounds; results are their medians. */
  rounds: number;
  freshnessSeconds: number;
}

export interface BenchSetting {
  /** Folder of the prepared data and of the workers' files. */
  dir: string;
  size: Size;
}

/** Work done in one round. */
export interface Work {
  /** Number of events or order lines; 1 if the round itself is measured. */
  units: number;
  /** Further figures of the round by name; results are their medians. */
  figures?: Record<string, number>;
}

/** One variant of the work, in a separate process. */
export interface Runner {
  /** Unmeasured preparation of each round. */
  before?(): Promise<void>;
  run(): Promise<Work>;
  close?(): Promise<void>;
}

/** Variants of the same work, whose rounds alternate. */
export interface Case {
  title: string;
  /** Name of the units, in the plural. */
  unit: string;
  /** Number of rounds, instead of the size's. */
  rounds?: number;
  /** False if rounds are too long to need a warm-up. */
  warmUp?: boolean;
  /** Creates the variants' input data if it is missing. */
  prepare?(setting: BenchSetting): Promise<void>;
  variants: Record<string, (setting: BenchSetting) => Promise<Runner>>;
}

/** One variant's medians. */
export interface MeasuredVariant {
  variant: string;
  units: number;
  /** User and system time of all threads of the process. */
  cpuSeconds: number;
  wallSeconds: number;
  /** Range of the rounds' CPU times relative to their median. */
  spread: number;
  /** Peak resident memory of the process. */
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
  variants: MeasuredVariant[];
}

const modules: Record<string, () => Promise<{ default: Case }>> = {
  landing: () => import("./cases/landing.ts"),
  refining: () => import("./cases/refining.ts"),
  "refining-classic": async () => ({ default: (await import("./cases/refining.ts")).refiningClassic }),
  facts: () => import("./cases/facts.ts"),
  publishing: () => import("./cases/publishing.ts"),
  backlog: () => import("./cases/backlog.ts"),
  growth: () => import("./cases/growth.ts"),
  freshness: () => import("./cases/freshness.ts"),
  memory: () => import("./cases/memory.ts"),
};

/** The cases in execution order. */
export const caseNames = Object.keys(modules);

/** The cases of a run that names none. A month of orders takes longer to prepare than all others to run. */
export const usualCases = caseNames.filter((name) => name !== "backlog");

/** Loads a case; throws on an unknown name. */
export async function loadCase(name: string): Promise<Case> {
  const load = modules[name];
  if (load === undefined) throw new Error(`case ${name} is unknown: choose from ${caseNames.join(", ")}`);
  return (await load()).default;
}
