import type { Column } from "../domain/silver-columns.ts";
import { statisticsColumns } from "./file-stats.ts";

const unitMs: Record<string, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000, week: 604_800_000 };

/** The properties of a new table; every Delta writer honours them. */
export function defaultProperties(columns: readonly Column[], checkpointEvery: number): Record<string, string> {
  return {
    "delta.checkpointInterval": String(checkpointEvery),
    "delta.dataSkippingStatsColumns": statisticsColumns(columns)
      .map(({ name }) => name)
      .join(","),
    "delta.deletedFileRetentionDuration": "interval 7 days",
    "delta.logRetentionDuration": "interval 30 days",
    "delta.setTransactionRetentionDuration": "interval 7 days",
  };
}

/** A table property such as `interval 7 days`, in milliseconds; Infinity where it is not set. */
export function durationMs(configuration: Readonly<Record<string, string>>, property: string): number {
  const value = configuration[property];
  if (value === undefined) return Infinity;
  const [, count, unit] = /^interval (\d+) (minute|hour|day|week)s?$/i.exec(value.trim()) ?? [];
  if (count === undefined) {
    throw new Error(`table property ${property}: ${value} is no duration; write it as "interval 7 days"`);
  }
  return Number(count) * unitMs[unit!.toLowerCase()]!;
}
