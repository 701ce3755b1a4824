import {
  drillNames,
  drills,
  type DrillName,
  type DrillReport,
  type DrillRow,
} from "../../targets/local/drill-kinds.ts";
import type { Command } from "../options.ts";
import { count, print, printJson, textTable, UsageError } from "../output.ts";
import { withPipeline } from "../with-target.ts";

const instead = "send orders with ./pizza produce --faults, and run ./pizza verify";

export const drill: Command = {
  summary: "practise: send simulated orders, break something, and see how the receipt takes it",
  examples: ["drill", "drill landing"],
  usage: "drill [NAME]",
  mostWords: 1,
  localOnly: { aws: () => instead, localstack: instead },
  options: {},
  async run(values, [name]) {
    if (name === undefined) {
      const rows = Object.entries(drills).map(([each, { does }]) => ({ drill: each, does }));
      if (values.json) printJson(rows);
      else
        print(
          `${textTable(rows)}\n\nThe orders of a drill stay in the pipeline's numbers. Run one: ./pizza drill duplicates`,
        );
      return 0;
    }
    if (!isDrill(name)) throw new UsageError(`drill ${name} is unknown: choose one of ${drillNames.join(", ")}`);
    const report = await withPipeline(values, (pipeline) => pipeline.drill({ drill: name }));
    if (values.json) printJson(report);
    else print(reportText(report));
    return report.isKept ? 0 : 3;
  },
};

function isDrill(name: string): name is DrillName {
  return Object.hasOwn(drills, name);
}

function reportText({ does, broke, rows, otherEvents, seconds, receipt, isKept }: DrillReport): string {
  const table = textTable(
    rows.map((row) => ({
      receipt: row.name,
      before: amount(row, row.before),
      after: amount(row, row.after),
      change: amount(row, row.after - row.before),
      promised: amount(row, row.promised),
    })),
  );
  const findings = receipt.findings.map(({ sentence, examples }) => `  ${sentence}, such as ${examples[0]}`);
  return [
    `a drill: ${does}${broke === null ? "" : `; ${broke}`}`,
    `all sent after ${seconds.sent.toFixed(1)} s, all in gold after ${seconds.inGold.toFixed(1)} s`,
    "",
    table,
    "",
    ...(otherEvents > 0 ? [`other tills sent ${count(otherEvents)} events meanwhile`] : []),
    isKept
      ? "KEPT: every event is counted once, to the cent."
      : "NOT KEPT: see the rows that differ from what was promised, and ./pizza verify",
    ...findings,
  ].join("\n");
}

function amount({ unit }: DrillRow, value: number): string {
  return unit === "cents" ? (value / 100).toFixed(2).replaceAll(/\B(?=(\d{3})+(?=\.))/g, ",") : count(value);
}
