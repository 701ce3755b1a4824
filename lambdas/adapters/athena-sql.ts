import { createHash } from "node:crypto";
import type { LakeTable, LakeType } from "../ports.ts";

/** The list of a version's files, as the text object that Athena's symlink format reads. */
export interface Manifest {
  /** SHA-256 of the text: the same files have the same name. */
  name: string;
  key: string;
  text: string;
}

const sqlTypes: Record<LakeType, string> = {
  string: "varchar",
  int: "integer",
  long: "bigint",
  boolean: "boolean",
  timestamp: "timestamp with time zone",
  date: "date",
};

/** The manifest of a table's files in a bucket; undefined where it has none, as no object names nothing. */
export function manifestOf({ files }: LakeTable, bucket: string): Manifest | undefined {
  if (files.length === 0) return undefined;
  const text = files
    .toSorted()
    .map((file) => `s3://${bucket}/${file}\n`)
    .join("");
  const name = createHash("sha256").update(text).digest("hex");
  return { name, key: `manifests/${name}/files.txt`, text };
}

/**
 * The query with its tables in front of it, each as a `with` part of its own name: the Glue table `<table>_at` (the
 * LakeTable's name without its layer) at a manifest. Athena reads a Delta table at its newest version only, and gold must be
 * made from one version.
 */
export function withTables(
  sql: string,
  { tables, database, bucket }: { tables: readonly LakeTable[]; database: string; bucket: string },
): string {
  if (tables.length === 0) return sql;
  const parts = tables.map((table) => `"${table.name}" as (${selectOf(table, { database, bucket })})`).join(",\n");
  const [, comments = "", itsWith] = /^((?:\s|--[^\n]*\n|\/\*[^]*?\*\/)*)(with\s+)?/i.exec(sql)!;
  const rest = sql.slice(comments.length + (itsWith?.length ?? 0));
  return `${comments}with ${parts}${itsWith === undefined ? "\n" : ",\n"}${rest}`;
}

function selectOf(table: LakeTable, { database, bucket }: { database: string; bucket: string }): string {
  const manifest = manifestOf(table, bucket);
  if (manifest === undefined) {
    const nothing = table.columns.map(({ name, type }) => `cast(null as ${sqlTypes[type]}) as "${name}"`);
    return `select ${nothing.join(", ")} where false`;
  }
  const columns = table.columns.map((column) => `${expressionOf(column, table.partitionColumn)} as "${column.name}"`);
  const glueTable = `"${database}"."${table.name.replace(/^[a-z]+_/, "")}_at"`;
  return `select ${columns.join(", ")} from ${glueTable} where manifest = '${manifest.name}'`;
}

function expressionOf({ name, type }: LakeTable["columns"][number], partitionColumn: string | undefined): string {
  if (name === partitionColumn) return `cast(regexp_extract("$path", '${name}=([0-9-]{10})', 1) as date)`;
  // Hive's timestamps have no zone; the lake's are UTC.
  return type === "timestamp" ? `with_timezone("${name}", 'UTC')` : `"${name}"`;
}

/** A parameter as the SQL literal that Athena takes in its place. */
export function toLiteral(value: string | number): string {
  return typeof value === "number" ? String(value) : `'${value.replaceAll("'", "''")}'`;
}
