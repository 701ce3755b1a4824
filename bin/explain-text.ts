import type { ExplainedCell, Explanation } from "../lambdas/explain/explain-row.ts";
import { count, table } from "./output.ts";

/** The cells with what makes them, then the order lines under them, with their sum where all are listed. */
export function explanationText(explanation: Explanation): string {
  const key = Object.entries(explanation.key).map(([name, value]) => `${name} ${value}`);
  const [only, ...more] = explanation.cells;
  const cells = more.length === 0 ? cellText(only!) : [table(explanation.cells.map(cellRow))];
  return [`${explanation.table}, ${key.join(", ")}`, "", ...cells, "", ...linesText(explanation)].join("\n");
}

function cellText({ column, gold, explained, equal, formula, terms }: ExplainedCell): string[] {
  const made = equal ? "" : `; the order lines make ${explained ?? "nothing"}: GOLD DIFFERS`;
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
    "from order lines": equal ? explained : `${explained ?? "nothing"} DIFFERS`,
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
    return [table(rows), `and ${count(lineCount - lines.length)} more lines: --lines ${lineCount}, or --json`];
  }
  const totals = new Map(cells.flatMap(({ terms }) => terms.map(({ name, value }) => [name, value])));
  const sums = Object.fromEntries(listed.map((name) => [name, totals.get(name)]));
  return [
    table([...rows, { ...Object.fromEntries(Object.keys(rows[0]!).map((name) => [name, ""])), day: "sum", ...sums }]),
  ];
}
