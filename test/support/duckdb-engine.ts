import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DuckDBInstance, DuckDBTimestampTZValue, type DuckDBConnection } from "@duckdb/node-api";
import type { AthenaEngine } from "./athena-server.ts";

/**
 * DuckDB as Athena's engine, over a bucket that is a folder: a table `<name>_at` contains the files that its manifest
 * `manifests/<manifest>/files.txt` lists, with their keys as "$path". Every query has a separate database.
 */
export function duckDbEngine(place: { root: string; bucket: string }): AthenaEngine {
  return {
    async run(sql, { database, parameters }) {
      const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
      const connection = await instance.connect();
      try {
        for (const view of manifestViews(sql, { database, ...place })) await connection.run(view);
        // Hive's timestamps have no time zone; DuckDB reads it from the file.
        await connection.run("create macro with_timezone(moment, zone) as moment");
        return await read(connection, fillIn(sql, parameters));
      } finally {
        connection.closeSync();
        instance.closeSync();
      }
    },
  };
}

function manifestViews(sql: string, { database, root, bucket }: { database: string; root: string; bucket: string }) {
  const places = sql.matchAll(/from "(\w+)"\."(\w+_at)" where manifest = '([0-9a-f]{64})'/g);
  const views = [...places].map(([, schema, table, manifest]) => {
    if (schema !== database) throw new Error(`SCHEMA_NOT_FOUND: Schema '${schema}' does not exist`);
    const list = readFileSync(join(root, "manifests", manifest!, "files.txt"), "utf8")
      .trimEnd()
      .split("\n");
    const files = list.map((line) => `'${line.replace(`s3://${bucket}`, root)}'`);
    return `create or replace view ${schema}.${table} as
      select *, filename as "$path", '${manifest}' as manifest
      from read_parquet([${files.join(", ")}], filename = true, hive_partitioning = false)`;
  });
  return [`create schema if not exists ${database}`, ...views];
}

/** Replaces the question marks by literals, as Athena does. */
function fillIn(sql: string, parameters: readonly string[]): string {
  let next = 0;
  const text = sql.replaceAll(/'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\?/g, (token) =>
    token === "?" ? (parameters[next++] ?? "?") : token,
  );
  if (next !== parameters.length) throw new Error("INVALID_PARAMETER_USAGE: Incorrect number of parameters");
  return text;
}

async function read(connection: DuckDBConnection, sql: string) {
  const reader = await connection.runAndReadAll(sql);
  const types = reader.columnTypes().map(String).map(athenaType);
  const columns = reader.columnNames().map((name, index) => ({ name, type: types[index]! }));
  const rows = reader.getRows().map((row) =>
    row.map((value) => {
      if (value === null) return null;
      return value instanceof DuckDBTimestampTZValue ? inUtc(value.micros) : String(value);
    }),
  );
  return { columns, rows };
}

function inUtc(micros: bigint): string {
  const text = new Date(Number(micros / 1000n)).toISOString().replace("T", " ").slice(0, -1);
  return `${text}${String(micros % 1000n).padStart(3, "0")} UTC`;
}

const types: Record<string, string> = {
  VARCHAR: "varchar",
  INTEGER: "integer",
  BIGINT: "bigint",
  HUGEINT: "bigint",
  DOUBLE: "double",
  BOOLEAN: "boolean",
  DATE: "date",
  TIMESTAMP: "timestamp",
  "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
};

function athenaType(type: string): string {
  return types[type] ?? type.replace(/\(.*\)/, "").toLowerCase();
}
