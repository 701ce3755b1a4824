import { lacksBronze, type RebuildReport } from "../../pipeline/rebuild/report.ts";
import { calendarDay, type Command, type Values } from "../options.ts";
import { print, printJson, UsageError, count, paint, textTable } from "../output.ts";
import { lakeSqlOption, withPipeline } from "../with-target.ts";

export const rebuild: Command = {
  summary: "work days out anew from bronze, compare them with what is published, and publish what differs",
  usage: "rebuild [--from DATE] [--to DATE] [--gold] [--dry-run] [--json]",
  options: {
    from: { type: "string", about: "first business date, such as 2015-01-01 (the first there is)" },
    to: { type: "string", about: "last business date (the last there is)" },
    gold: { type: "boolean", about: "gold alone, from silver as it is" },
    "dry-run": { type: "boolean", about: "compare only; exit code 3 where something differs" },
    ...lakeSqlOption,
  },
  async run(values) {
    const [from, to] = [dateOf(values, "from") ?? "0001-01-01", dateOf(values, "to") ?? "9999-12-31"];
    if (from > to) throw new UsageError(`--from ${from} is after --to ${to}`);
    const isDryRun = values["dry-run"] === true;
    const source = values["gold"] === true ? ("silver" as const) : ("bronze" as const);
    const report = await withPipeline(values, (pipeline) => pipeline.rebuild({ from, to, source, isDryRun }));
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

const mostExamples = 10;

/** What a rebuild found, as people read it. */
function rebuildText(report: RebuildReport): string {
  const { days, bronzeObjects, silverVersion, source, equal, published, milliseconds } = report;
  const from = source === "bronze" ? `${count(bronzeObjects)} bronze objects` : `silver version ${silverVersion}`;
  const seconds = (milliseconds / 1000).toFixed(1);
  const head = `${days === 1 ? "1 day" : `${count(days)} days`} worked out anew from ${from} in ${seconds} s`;
  const isWhole = !lacksBronze(report);
  if (equal && !isWhole)
    return [head, "no value differs, but another rebuild may be short of orders:", missingText(report)].join("\n");
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
    isWhole ? end : missingText(report),
  ].join("\n");
}

/** What bronze lacks, and what to do. */
function missingText({ missing: { objects, records } }: RebuildReport): string {
  return [
    paint("bronze is missing, and silver is the better copy: nothing was published", "red"),
    ...someOf(objects, "bronze objects that silver took and that are not there"),
    ...someOf(records, "records that rows of silver came from and that no bronze object holds"),
    "bring these files back from a copy of the lake (on S3 an earlier version of the object), and rebuild again",
  ].join("\n");
}

function someOf(names: readonly string[], sentence: string): string[] {
  if (names.length === 0) return [];
  const more = names.length > mostExamples ? ["  … (--json shows the first thousand)"] : [];
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
  const more = differences.length > examples.length ? "\n… (--json shows the first thousand)" : "";
  return textTable(rows) + more;
}
