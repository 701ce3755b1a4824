import type { ColumnProfile, SilverProfile } from "../lambdas/quality/profile-silver.ts";
import { count, table } from "./output.ts";

const shownValues = 3;
const widest = 24;

/** A profile of silver as people read it. */
export function profileText({ silverVersion, week, lines, linesBefore, columns }: SilverProfile): string {
  if (week === null) return "silver holds no order yet";
  return [
    `SILVER version ${silverVersion}, ${week.from} to ${week.until}: ${count(lines)} order lines, ${count(linesBefore)} in the week before`,
    table(columns.map((column) => row(column, lines))),
  ].join("\n");
}

function row({ name, nulls, distinct, least, greatest, top, drift }: ColumnProfile, lines: number) {
  const often = top.slice(0, shownValues).map(({ value, lines: n }) => `${value ?? "null"} ${percent(n / lines)}`);
  return {
    column: name,
    nulls: percent(nulls / lines),
    distinct: count(distinct),
    least: short(least),
    greatest: short(greatest),
    drift: drift === null ? "" : percent(drift),
    "most often": often.join(", "),
  };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}

function short(text: string | null): string {
  return text === null ? "" : text.length <= widest ? text : `${text.slice(0, widest - 1)}…`;
}
