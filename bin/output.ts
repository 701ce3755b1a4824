/** Output of the command line: results on stdout, messages and progress on stderr, colour only on a terminal. */

/** An error in how a command was called; exit code 2. */
export class UsageError extends Error {}

/** Writes a message to stderr. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Writes a result to stdout. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Writes a result to stdout as one JSON document. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? String(item) : item), 2));
}

/** Overwrites the progress line on a terminal; writes nothing elsewhere. */
export function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${text}`);
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
  const names = Object.keys(rows[0]!);
  const cells = rows.map((row) => names.map((name) => cell(row[name])));
  const widths = names.map((name, i) => Math.max(name.length, ...cells.map((line) => line[i]!.length)));
  const isRight = names.map((_, i) => cells.every((line) => /^-?[\d,.]*%?$/.test(line[i]!)));
  const render = (line: string[]) =>
    line
      .map((text, i) => (isRight[i] ? text.padStart(widths[i]!) : text.padEnd(widths[i]!)))
      .join("  ")
      .trimEnd();
  return [render(names), widths.map((width) => "-".repeat(width)).join("  "), ...cells.map(render)].join("\n");
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : typeof value === "bigint" ? value.toString() : JSON.stringify(value);
}

/** Colours text on a terminal, unless NO_COLOR is set. */
export function paint(text: string, colour: "green" | "red" | "bold"): string {
  if (!process.stdout.isTTY || process.env["NO_COLOR"] !== undefined) return text;
  return `\u001b[${{ green: 32, red: 31, bold: 1 }[colour]}m${text}\u001b[0m`;
}
