import type { CaseResult, MeasuredVariant } from "./case.ts";
import type { Machine } from "./machine.ts";

/** Formats the machine as text. */
export function machineText({ cpu, cores, memoryGiB, system, node, versions, load }: Machine): string {
  const libraries = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}`,
    `Node ${node}, ${libraries.join(", ")}`,
    `load at the start: ${load}`,
  ].join("\n");
}

/** One case as a Markdown table with a row per variant; ratios are relative to the first plain one. */
export function caseText({ title, unit, rounds, variants }: CaseResult): string {
  const plain = variants.find(({ variant }) => variant.startsWith("plain"));
  const head = ["", "x plain", `${unit}/s/core`, "CPU per unit", "wall", "spread", "peak memory", "figures"];
  const heading = `${title} (${rounds === 1 ? "one round" : `median of ${rounds}`})`;
  return [
    heading,
    "",
    tableText(
      head,
      variants.map((measured) => rowOf(measured, plain)),
    ),
  ].join("\n");
}

function rowOf(measured: MeasuredVariant, plain: MeasuredVariant | undefined): string[] {
  const { variant, units, cpuSeconds, wallSeconds, spread, startMiB, peakMiB, figures } = measured;
  const isOne = units <= 1;
  return [
    variant,
    plain === undefined ? "" : (secondsPerUnit(plain) / secondsPerUnit(measured)).toFixed(2),
    isOne ? "" : round(units / cpuSeconds),
    isOne ? "" : `${((1e6 * cpuSeconds) / units).toFixed(2)} us`,
    duration(wallSeconds),
    `${Math.round(spread * 100)} %`,
    `${round(peakMiB)} MiB (${round(startMiB)} at the start)`,
    Object.entries(figures)
      .map(([name, value]) => `${name} ${shown(value)}`)
      .join(", "),
  ];
}

/** CPU time per unit; if the round is the unit, wall time, because another process does most of the work. */
function secondsPerUnit({ units, cpuSeconds, wallSeconds }: MeasuredVariant): number {
  return units <= 1 ? wallSeconds : cpuSeconds / units;
}

/** A Markdown table with aligned columns. */
export function tableText(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, index) => Math.max(3, name.length, ...rows.map((row) => row[index]!.length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, index) => cell.padEnd(widths[index]!)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

/** Formats seconds. */
export function duration(seconds: number): string {
  return seconds < 1 ? `${(seconds * 1000).toFixed(1)} ms` : `${seconds.toFixed(2)} s`;
}

/** A rounded number with thousands separators. */
export function round(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

function shown(value: number): string {
  return Number.isInteger(value) ? round(value) : value.toFixed(Math.abs(value) < 10 ? 2 : 1);
}
