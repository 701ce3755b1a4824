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

/** Returns Delta's `schemaString` for the columns; the partition column, a date, comes last. */
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
 * Compares a table's schema with the columns of this program. Returns true if the table lacks nullable columns, which
 * the next commit may add. Throws for any other difference, naming the columns.
 */
export function lacksColumns(
  metadata: Metadata,
  { root, columns, partitionColumn }: { root: string; columns: readonly Column[]; partitionColumn: string | undefined },
): boolean {
  const hasPartitions = metadata.partitionColumns.join(", ") === (partitionColumn ?? "");
  // Fast path: this program wrote the schema.
  if (hasPartitions && metadata.schemaString === schemaString(columns, partitionColumn)) return false;
  const schema: { fields: Field[] } = JSON.parse(metadata.schemaString);
  const actual = new Map(schema.fields.map((field) => [field.name, field]));
  const expected = new Map(fieldsOf(columns, partitionColumn).map((field) => [field.name, field]));
  const unknown = [...actual.keys()]
    .filter((name) => !expected.has(name))
    .map((name) => `${name} is only in the table`);
  const missing = [...expected.values()].filter(({ name }) => !actual.has(name));
  const differing = [...expected.values()]
    .filter((field) => actual.has(field.name) && describe(actual.get(field.name)!) !== describe(field))
    .map((field) => `${field.name} is ${describe(actual.get(field.name)!)} in the table and ${describe(field)} here`);
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
      `Delta table ${root}: its columns differ from those of this program: ${differences.join("; ")}. ` +
        "Rebuild the table from bronze, or run the release that wrote it",
    );
  }
  return missing.length > 0;
}

function describe({ type, nullable }: Field): string {
  return nullable ? `${type} or null` : type;
}

const unitMs: Record<string, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000, week: 604_800_000 };

/** Returns the properties of a new table, which every Delta writer honors. */
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

/** Returns a table property such as `interval 7 days` in milliseconds; Infinity if it is not set. */
export function durationMs(configuration: Readonly<Record<string, string>>, property: string): number {
  const value = configuration[property];
  if (value === undefined) return Infinity;
  const [, count, unit] = /^interval (\d+) (minute|hour|day|week)s?$/i.exec(value.trim()) ?? [];
  if (count === undefined) {
    throw new Error(`table property ${property}: ${value} is not a duration; write it as "interval 7 days"`);
  }
  return Number(count) * unitMs[unit!.toLowerCase()]!;
}
