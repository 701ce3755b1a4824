import { randomUUID } from "node:crypto";
import { visible } from "../pipeline/domain/visible.ts";

/** Output of the command line: results on stdout, messages and progress on stderr, colour only on a terminal. */

/** Starts a colour in painted text, until it is written. Random, so that no text from outside can contain it. */
const colourMark = randomUUID();

/** An error in how a command was called; exit code 2. */
export class UsageError extends Error {}

/** Writes a message to stderr, with control characters made visible. */
export function say(text: string): void {
  process.stderr.write(`${terminalText(text)}\n`);
}

/** Writes a result to stdout, with control characters made visible. */
export function print(text: string): void {
  process.stdout.write(`${terminalText(text)}\n`);
}

/**
 * What a terminal may be sent: text from tills and files must not move its cursor, rename its window or reorder a line.
 */
export function terminalText(text: string): string {
  return visible(text).replaceAll(colourMark, "\u001b[");
}

/** Writes a result to stdout as one JSON document, for programs: the text in it is as it is. */
export function printJson(value: unknown): void {
  process.stdout.write(`${jsonText(value)}\n`);
}

export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? String(item) : item), 2);
}

/** Overwrites the progress line on a terminal; writes nothing elsewhere. */
export function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${terminalText(text)}`);
}

/** Clears the progress line. */
export function endProgress(): void {
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[2K");
}

/** `1234567` as `1,234,567`. */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** Cents as dollars: `81786005` as `817,860.05`. */
export function money(cents: number): string {
  return (cents / 100).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}

/** Formats rows as a table; columns of numbers are right-aligned. */
export function textTable(rows: readonly Record<string, unknown>[]): string {
  if (rows.length === 0) return "(no rows)";
  const keys = Object.keys(rows[0]!);
  const names = keys.map(oneLine);
  const cells = rows.map((row) => keys.map((key) => cell(row[key])));
  if (process.stdout.isTTY) fit(names, cells);
  const widths = names.map((name, i) => Math.max(name.length, ...cells.map((line) => line[i]!.length)));
  const isRight = names.map((_, i) => cells.every((line) => /^-?[\d,.]*%?$/.test(line[i]!)));
  const render = (line: string[]) =>
    line
      .map((text, i) => (isRight[i] ? text.padStart(widths[i]!) : text.padEnd(widths[i]!)))
      .join("  ")
      .trimEnd();
  return [render(names), widths.map((width) => "-".repeat(width)).join("  "), ...cells.map(render)].join("\n");
}

/** Columns of a table on a terminal; elsewhere, and with `--json`, every value is whole. */
const widestTable = 100;
/** A shortened value keeps this much. */
const leastShown = 8;

/** Shortens the longest values until the table fits: a long id keeps its beginning and its end. */
function fit(names: string[], cells: string[][]): void {
  const widths = names.map((name, i) => Math.max(name.length, ...cells.map((line) => line[i]!.length)));
  for (let excess = widths.reduce((sum, one) => sum + one + 2, -2) - widestTable; excess > 0; excess--) {
    const longest = widths.indexOf(Math.max(...widths));
    if (widths[longest]! <= leastShown) break;
    widths[longest]! -= 1;
  }
  for (const line of [names, ...cells]) {
    for (const [i, text] of line.entries()) line[i] = shortened(text, widths[i]!);
  }
}

function shortened(text: string, length: number): string {
  if (text.length <= length) return text;
  const end = Math.floor((length - 1) / 3);
  return `${text.slice(0, length - 1 - end)}…${end === 0 ? "" : text.slice(-end)}`;
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  return oneLine(
    typeof value === "string" ? value : typeof value === "bigint" ? value.toString() : JSON.stringify(value),
  );
}

/** Text from a till or a file as part of a line: a line break in it would look like a line of the program. */
export function oneLine(text: string): string {
  return visible(text).replaceAll("\n", "\\n");
}

/** Colours text on a terminal, unless NO_COLOR is set. */
export function paint(text: string, colour: "green" | "red" | "bold"): string {
  if (!process.stdout.isTTY || process.env["NO_COLOR"] !== undefined) return text;
  return `${colourMark}${{ green: 32, red: 31, bold: 1 }[colour]}m${text}${colourMark}0m`;
}
