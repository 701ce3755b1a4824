import type { CaseResult, MeasuredVariant } from "./case.ts";
import { round, tableText } from "./report.ts";

/** One performance goal and this run's result. */
export interface AimRow {
  figure: string;
  unit: string;
  /** Measured value. */
  ours: number;
  must: number;
  aim: number;
  isLowBetter: boolean;
  /** True for ratios within this run, which are valid on any machine. The others are informational. */
  isGate: boolean;
  verdict: "aim" | "must" | "below";
}

type Find = (name: string, variant: string) => MeasuredVariant | undefined;

interface Aim extends Omit<AimRow, "ours" | "verdict"> {
  read: (find: Find) => number | undefined;
}

const perCore = (measured: MeasuredVariant | undefined) => measured && measured.units / measured.cpuSeconds;
const figure = (name: string) => (measured: MeasuredVariant | undefined) => measured?.figures[name];
const batches = "batches, in memory";
const allBatches = "batches, in memory, all lines";

const aims: Aim[] = [
  {
    figure: "landing and refining, speedup over the naive implementation",
    unit: "x",
    must: 3,
    aim: 8,
    isLowBetter: false,
    isGate: true,
    read: ratioOfTheWholeWay,
  },
  ...growth("2,000 orders of a new day", "newDayMs"),
  ...growth("50 late orders of 2 old days", "lateMs"),
  aim(
    { figure: "landing, batched", unit: "events/s/core", must: 500_000, aim: 1_000_000, isLowBetter: false },
    (find) => perCore(find("landing", batches)),
  ),
  aim({ figure: "refining", unit: "order lines/s/core", must: 100_000, aim: 200_000, isLowBetter: false }, (find) =>
    perCore(find("refining", allBatches)),
  ),
  aim({ figure: "silver", unit: "bytes per order line", must: 35, aim: 25, isLowBetter: true }, (find) =>
    figure("bytesPerLine")(find("refining", allBatches)),
  ),
  aim(
    { figure: "silver -> facts of gold, 10 M lines", unit: "s", must: 10, aim: 4, isLowBetter: true },
    (find) => find("facts", "ours")?.wallSeconds,
  ),
  aim({ figure: "publishing a day, PostgreSQL only", unit: "ms", must: 50, aim: 10, isLowBetter: true }, (find) =>
    figure("warehouseMs")(find("publishing", "an open day")),
  ),
  aim({ figure: "publishing a day, with its lake SQL", unit: "ms", must: 50, aim: 10, isLowBetter: true }, (find) =>
    thousand(find("publishing", "an open day")?.wallSeconds),
  ),
  aim({ figure: "freshness, median, 200 orders/s", unit: "s", must: 5, aim: 2, isLowBetter: true }, (find) =>
    figure("medianSeconds")(find("freshness", "200 orders a second")),
  ),
  aim(
    { figure: "memory of the local pipeline, classic replay", unit: "MiB", must: 1024, aim: 400, isLowBetter: true },
    (find) => figure("peakMiB")(find("memory", "./pizza demo")),
  ),
];

/** Compares the results with every goal that they cover. */
export function compareWithAims(results: readonly CaseResult[]): AimRow[] {
  const find: Find = (name, variant) =>
    results.find((result) => result.name === name)?.variants.find((measured) => measured.variant === variant);
  return aims.flatMap(({ read, ...row }) => {
    const ours = read(find);
    return ours === undefined ? [] : [{ ...row, ours, verdict: verdictOf(row, ours) }];
  });
}

/** The goals as a Markdown table; a value that misses its "must" is marked BELOW. */
export function aimsText(rows: readonly AimRow[]): string {
  const head = ["figure", "ours", "must", "aim", "verdict"];
  return tableText(
    head,
    rows.map(({ figure: name, unit, ours, must, aim: best, isLowBetter, verdict, isGate }) => {
      const sign = isLowBetter ? "<=" : ">=";
      const word = { aim: "aim reached", must: "must reached", below: "BELOW" }[verdict];
      const value = ours < 100 ? ours.toFixed(2) : round(ours);
      return [
        name,
        `${value} ${unit}`,
        `${sign} ${limitText(must)}`,
        `${sign} ${limitText(best)}`,
        isGate ? word : `${word} (informational)`,
      ];
    }),
  );
}

function limitText(limit: number): string {
  return Number.isInteger(limit) ? round(limit) : String(limit);
}

function aim(row: Omit<Aim, "read" | "isGate">, read: Aim["read"]): Aim {
  return { ...row, isGate: false, read };
}

/** Time with a large table relative to that with a small one, for the same new data. */
function growth(what: string, name: string): Aim[] {
  const seconds = figure(name);
  return [
    {
      figure: `growth from 50 k to 10 M lines: ${what}`,
      unit: "x",
      must: 2,
      aim: 1.25,
      isLowBetter: true,
      isGate: true,
      read: (find) => {
        const [small, large] = [seconds(find("growth", "small table")), seconds(find("growth", "large table"))];
        return small === undefined || large === undefined ? undefined : large / small;
      },
    },
  ];
}

/** CPU time per event of the naive implementation relative to ours, for landing and refining together. */
function ratioOfTheWholeWay(find: Find): number | undefined {
  const perEvent = (land: MeasuredVariant | undefined, refine: MeasuredVariant | undefined) => {
    if (land === undefined || refine === undefined) return undefined;
    const secondsPerLine = refine.cpuSeconds / refine.units;
    return land.cpuSeconds / land.units + secondsPerLine * refine.figures["linesPerEvent"]!;
  };
  const ours = perEvent(find("landing", batches), find("refining", batches));
  const naive = perEvent(find("landing", "plain: single events, hyparquet-writer"), find("refining", "plain: naive"));
  return ours === undefined || naive === undefined ? undefined : naive / ours;
}

function thousand(value: number | undefined): number | undefined {
  return value === undefined ? undefined : value * 1000;
}

function verdictOf({ must, aim: best, isLowBetter }: Omit<Aim, "read">, ours: number): AimRow["verdict"] {
  const reaches = (limit: number) => (isLowBetter ? ours <= limit : ours >= limit);
  return reaches(best) ? "aim" : reaches(must) ? "must" : "below";
}
