import { statisticsColumns } from "../parquet/file-stats.ts";
import type { LakeType } from "../ports.ts";
import type { Column } from "../silver/columns.ts";
import type { Metadata } from "./actions.ts";

const deltaTypes: Record<LakeType, string> = {
  string: "string",
  int: "integer",
  long: "long",
  boolean: "boolean",
  timestamp: "timestamp",
  date: "date",
};

interface Field {
  name: string;
  type: string;
  nullable: boolean;
  metadata: { comment?: string };
}

/** The columns as Delta's `schemaString`; the partition's column, a date, is the last one. */
export function schemaString(columns: readonly Column[], partitionColumn: string | undefined): string {
  return JSON.stringify({ type: "struct", fields: fieldsOf(columns, partitionColumn) });
}

function fieldsOf(columns: readonly Column[], partitionColumn: string | undefined): Field[] {
  const fields = columns.map(
    ({ name, type, nullable = false, comment }: Omit<Column, "nullable"> & { nullable?: boolean }) => {
      return { name, type: deltaTypes[type], nullable, metadata: { comment } };
    },
  );
  if (partitionColumn === undefined) return fields;
  return [...fields, { name: partitionColumn, type: deltaTypes.date, nullable: false, metadata: {} }];
}

/**
 * Compares a table's schema with the columns of this program. True says that the table lacks nullable columns, which the
 * next commit may add; any other difference throws and names the columns.
 */
export function lacksColumns(
  metadata: Metadata,
  { root, columns, partitionColumn }: { root: string; columns: readonly Column[]; partitionColumn: string | undefined },
): boolean {
  const hasPartitions = metadata.partitionColumns.join(", ") === (partitionColumn ?? "");
  // What this program wrote itself, as nearly every table: no field need be looked at.
  if (hasPartitions && metadata.schemaString === schemaString(columns, partitionColumn)) return false;
  const schema: { fields: Field[] } = JSON.parse(metadata.schemaString);
  const there = new Map(schema.fields.map((field) => [field.name, field]));
  const here = new Map(fieldsOf(columns, partitionColumn).map((field) => [field.name, field]));
  const unknown = [...there.keys()].filter((name) => !here.has(name)).map((name) => `${name} is only in the table`);
  const missing = [...here.values()].filter(({ name }) => !there.has(name));
  const differing = [...here.values()]
    .filter((field) => there.has(field.name) && describe(there.get(field.name)!) !== describe(field))
    .map((field) => `${field.name} is ${describe(there.get(field.name)!)} in the table and ${describe(field)} here`);
  const required = missing
    .filter(({ nullable }) => !nullable)
    .map(({ name }) => `${name} is not in the table and not nullable`);
  const partitions = hasPartitions
    ? []
    : [
        `it is partitioned by ${metadata.partitionColumns.join(", ") || "nothing"} and not by ${partitionColumn ?? "nothing"}`,
      ];
  const differences = [...unknown, ...differing, ...required, ...partitions];
  if (differences.length > 0) {
    throw new Error(
      `Delta table ${root}: its columns are not those of this program: ${differences.join("; ")}. Rebuild the table from bronze, or run the program that wrote it`,
    );
  }
  return missing.length > 0;
}

function describe({ type, nullable }: Field): string {
  return nullable ? `${type} or null` : type;
}

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
