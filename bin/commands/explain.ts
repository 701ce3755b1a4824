import type { ExplainedCell, Explanation } from "../../pipeline/explain/explain-row.ts";
import { explainedTables, type ExplainedTable } from "../../pipeline/explain/gold-tables.ts";
import { calendarDay, wholeNumber, type Command } from "../options.ts";
import { count, print, printJson, textTable, UsageError } from "../output.ts";
import { lakeSqlOption, withReadOnlyPipeline } from "../with-target.ts";

/** Default number of order lines in text and in JSON. */
const [shortList, longList] = [20, 100_000];

export const explain: Command = {
  summary: "trace a number in gold down to its order lines (exit code 3 if they do not add up to it)",
  examples: [
    "explain hourly_trends 2015-01-01 11 revenue",
    "explain monthly_sales_summary 2015-02 revenue_growth_pct --lines 2",
  ],
  usage: "explain <table> <key...> [column] [--lines N] [--json]",
  mostWords: Infinity,
  options: {
    lines: { type: "string", about: `order lines to list (default: ${shortList}; with --json: ${longList})` },
    ...lakeSqlOption,
  },
  async run(values, words) {
    const lines = wholeNumber(values, "lines", { min: 0, max: longList }) ?? (values.json ? longList : shortList);
    const request = { ...readCell(words), lines };
    const found = await withReadOnlyPipeline(values, (pipeline) => pipeline.explain(request));
    if (values.json) printJson(found);
    else print(explanationText(found));
    return found.cells.every(({ equal }) => equal) ? 0 : 3;
  },
};

function readCell([name, ...words]: string[]): { table: string; key: string[]; column?: string } {
  const tables = Object.keys(explainedTables);
  const table = (name ?? "").replace(/^gold\./, "");
  if (!Object.hasOwn(explainedTables, table)) {
    const problem = name === undefined ? "no table given" : `table ${name} is unknown`;
    throw new UsageError(`${problem}: choose one of ${tables.join(", ")}\nusage: ./pizza ${explain.usage}`);
  }
  const { key, cells } = explainedTables[table]!;
  const given = words.slice(0, key.length).map((word, index) => keyPart(word, key[index]!));
  const [column, ...rest] = words.slice(key.length);
  if (given.length < key.length || rest.length > 0) {
    throw new UsageError(
      `the key of ${table} is ${key.map((part) => part.name).join(" ")}\nusage: ./pizza ${explain.usage}`,
    );
  }
  if (column === undefined) return { table, key: given };
  if (Object.hasOwn(cells, column)) return { table, key: given, column };
  throw new UsageError(`${table} has no column ${column}: choose one of ${Object.keys(cells).join(", ")}`);
}

function keyPart(word: string, { name, type }: ExplainedTable["key"][number]): string {
  if (type === "integer" && !/^\d{1,2}$/.test(word)) throw new UsageError(`${name} ${word}: give a whole number`);
  if (type !== "date") return word;
  const day = name === "month" && /^\d{4}-\d\d$/.test(word) ? `${word}-01` : word;
  if (calendarDay(day) !== undefined) return day;
  throw new UsageError(`${name} ${word}: give a date such as ${name === "month" ? "2015-01" : "2015-01-31"}`);
}

/** The cells with their formulas, then the order lines, with a sum row if all lines are listed. */
export function explanationText(explanation: Explanation): string {
  const key = Object.entries(explanation.key).map(([name, value]) => `${name} ${value}`);
  const [only, ...more] = explanation.cells;
  const cells = more.length === 0 ? cellText(only!) : [textTable(explanation.cells.map(cellRow))];
  return [`${explanation.table}, ${key.join(", ")}`, "", ...cells, "", ...linesText(explanation)].join("\n");
}

function cellText({ column, gold, explained, equal, formula, terms }: ExplainedCell): string[] {
  const made = equal ? "" : `; the order lines give ${explained ?? "no value"}: GOLD DIFFERS`;
  return [
    `${column} = ${gold ?? "no value"}${made}`,
    `  = ${formula}`,
    ...terms.map(
      ({ name, value, orderLines, days }) =>
        `    ${name}: ${value ?? "none"}, from ${count(orderLines)} order lines of ${days}`,
    ),
  ];
}

function cellRow({ column, gold, explained, equal, formula, terms }: ExplainedCell) {
  return {
    column,
    gold,
    "from order lines": equal ? explained : `${explained ?? "no value"} DIFFERS`,
    formula,
    terms: terms.map(({ name, value }) => `${name} ${value ?? "none"}`).join(", "),
  };
}

function linesText({ lines, lineCount, listed, cells }: Explanation): string[] {
  if (lines.length === 0) return [];
  const rows: Record<string, unknown>[] = lines.map((line) => ({
    day: line.order_date,
    order: line.order_id,
    line: line.line_no,
    pizza: line.pizza_id,
    quantity: line.quantity,
    ...line.shares,
    shard: line.shard,
    sequence_number: line.sequence_number,
    index: line.record_index,
  }));
  if (lines.length < lineCount) {
    return [textTable(rows), `${count(lineCount - lines.length)} more lines: --lines ${lineCount} or --json lists all`];
  }
  const totals = new Map(cells.flatMap(({ terms }) => terms.map(({ name, value }) => [name, value])));
  const sums = Object.fromEntries(listed.map((name) => [name, totals.get(name)]));
  return [
    textTable([
      ...rows,
      { ...Object.fromEntries(Object.keys(rows[0]!).map((name) => [name, ""])), day: "sum", ...sums },
    ]),
  ];
}
