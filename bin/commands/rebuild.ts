import { lacksBronze, type RebuildReport } from "../../pipeline/rebuild/report.ts";
import { calendarDay, type Command, type Values } from "../options.ts";
import { count, paint, print, printJson, textTable, UsageError } from "../output.ts";
import { lakeSqlOption, withPipelineToRebuild, withProgress } from "../with-target.ts";

const mostExamples = 10;

export const rebuild: Command = {
  summary: "recompute days from bronze, compare them with what is published, and publish the differences",
  examples: ["rebuild --dry-run", "rebuild --from 2015-12-01 --to 2015-12-31"],
  usage: "rebuild [--from DATE] [--to DATE] [--gold] [--dry-run] [--json]",
  options: {
    from: { type: "string", about: "first business date, such as 2015-01-01 (default: the earliest)" },
    to: { type: "string", about: "last business date (default: the latest)" },
    gold: { type: "boolean", about: "rebuild only gold, from the current silver" },
    "dry-run": { type: "boolean", about: "only compare (exit code 3 if anything differs)" },
    ...lakeSqlOption,
  },
  async run(values) {
    const [from, to] = [dateOf(values, "from") ?? "0001-01-01", dateOf(values, "to") ?? "9999-12-31"];
    if (from > to) throw new UsageError(`--from ${from} is after --to ${to}`);
    const isDryRun = values["dry-run"] === true;
    const source = values["gold"] === true ? ("silver" as const) : ("bronze" as const);
    const report = await withPipelineToRebuild(values, (pipeline) =>
      withProgress(pipeline, pipeline.rebuild({ from, to, source, isDryRun })),
    );
    if (values.json) printJson(report);
    else print(rebuildText(report));
    return (report.equal || report.published) && !lacksBronze(report) ? 0 : 3;
  },
};

function dateOf(values: Values, name: "from" | "to"): string | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const day = calendarDay(String(text));
  if (day !== undefined) return day;
  throw new UsageError(`--${name} ${text}: give a date such as 2015-01-31`);
}

/** Formats the report of a rebuild as text. */
function rebuildText(report: RebuildReport): string {
  const { days, bronzeObjects, silverVersion, source, equal, published, milliseconds } = report;
  const from = source === "bronze" ? `${count(bronzeObjects)} bronze objects` : `silver version ${silverVersion}`;
  const seconds = (milliseconds / 1000).toFixed(1);
  const head = `${days === 1 ? "1 day" : `${count(days)} days`} recomputed from ${from} in ${seconds} s`;
  const isWhole = !lacksBronze(report);
  if (equal && !isWhole)
    return [head, "no value differs, but a later rebuild may lack orders:", missingText(report)].join("\n");
  if (equal) return `${head}\n${paint("equal", "green")}: every published cell has the recomputed value`;
  const values = report.counts.reduce((sum, { values: each }) => sum + each, 0);
  const end = published
    ? `published: gold shows the rebuilt days at silver version ${silverVersion}`
    : "nothing was changed: run without --dry-run to publish the rebuilt days";
  return [
    head,
    paint(values === 1 ? "1 value differs" : `${count(values)} values differ`, "red"),
    "",
    countsTable(report),
    "",
    examplesTable(report),
    "",
    isWhole ? end : missingText(report),
  ].join("\n");
}

/** What is missing from bronze, and how to recover it. */
function missingText({ missing: { objects, records } }: RebuildReport): string {
  return [
    paint("bronze is incomplete, so silver is the better copy: nothing was published", "red"),
    ...someOf(objects, "bronze objects that silver has read and that no longer exist"),
    ...someOf(records, "records behind rows of silver that are in no bronze object"),
    "restore these files from a copy of the lake (on S3: an earlier object version), then rebuild again",
  ].join("\n");
}

function someOf(names: readonly string[], sentence: string): string[] {
  if (names.length === 0) return [];
  const more = names.length > mostExamples ? ["  … (--json lists the first thousand)"] : [];
  return [`${sentence}: ${count(names.length)}`, ...names.slice(0, mostExamples).map((name) => `  ${name}`), ...more];
}

function countsTable({ counts }: RebuildReport): string {
  return textTable(counts.map(({ values, ...group }) => ({ ...group, values: count(values) })));
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
  const more = differences.length > examples.length ? "\n… (--json lists the first thousand)" : "";
  return textTable(rows) + more;
}
