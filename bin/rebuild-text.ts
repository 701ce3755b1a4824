import type { RebuildReport } from "../lambdas/rebuild/report.ts";
import { count, paint, table } from "./output.ts";

const mostExamples = 10;

/** What a rebuild found, as people read it. */
export function rebuildText(report: RebuildReport): string {
  const { days, bronzeObjects, silverVersion, source, equal, published, milliseconds } = report;
  const from = source === "bronze" ? `${count(bronzeObjects)} bronze objects` : `silver version ${silverVersion}`;
  const seconds = (milliseconds / 1000).toFixed(1);
  const head = `${days === 1 ? "1 day" : `${count(days)} days`} worked out anew from ${from} in ${seconds} s`;
  if (equal) return `${head}\n${paint("equal", "green")}: what is published is what they make, cell by cell`;
  const values = report.counts.reduce((sum, { values: each }) => sum + each, 0);
  const end = published
    ? `published: gold shows the rebuilt days, of silver version ${silverVersion}`
    : "nothing was changed: without --dry-run the rebuilt days are published";
  return [
    head,
    paint(values === 1 ? "1 value differs" : `${count(values)} values differ`, "red"),
    "",
    countsTable(report),
    "",
    examplesTable(report),
    "",
    end,
  ].join("\n");
}

function countsTable({ counts }: RebuildReport): string {
  return table(counts.map(({ values, ...group }) => ({ ...group, values: count(values) })));
}

function examplesTable({ differences }: RebuildReport): string {
  const examples = differences.slice(0, mostExamples);
  const rows = examples.map(({ table: name, key, column, published, rebuilt, cause }) => ({
    table: name,
    key,
    column,
    published,
    rebuilt,
    cause,
  }));
  const more = differences.length > examples.length ? "\n… (--json shows the first thousand)" : "";
  return table(rows) + more;
}
