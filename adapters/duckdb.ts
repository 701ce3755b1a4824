import { join } from "node:path";
import {
  DuckDBInstance,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  StatementType,
  type DuckDBConnection,
  type DuckDBValue,
} from "@duckdb/node-api";
import type { LakeQuery, LakeRow, LakeTable, LakeType } from "../pipeline/ports.ts";

const sqlTypes: Record<LakeType, string> = {
  string: "varchar",
  int: "integer",
  long: "bigint",
  boolean: "boolean",
  timestamp: "timestamp with time zone",
  date: "date",
};

/**
 * DuckDB on the Parquet files below `root`, and on nothing else: SQL may come from people, so a query is one statement that
 * reads, no file elsewhere is touched, and no setting can be changed. Every query has names of its own for its tables, so
 * queries may run at once; `threads` and `memoryLimit` (such as `512MB`) are shared by all of them.
 */
export async function openDuckDbLake({
  root,
  threads = 2,
  memoryLimit = "512MB",
}: {
  root: string;
  threads?: number;
  memoryLimit?: string;
}): Promise<LakeQuery & { close(): void }> {
  const instance = await DuckDBInstance.create(":memory:", {
    threads: String(threads),
    memory_limit: memoryLimit,
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  // Data files never change, and several queries in a row read the same ones: their footers are read once.
  const setup = await instance.connect();
  await setup.run("set global parquet_metadata_cache = true");
  await setup.run(`set global allowed_directories = [${quoted(root)}]`);
  await setup.run("set global enable_external_access = false");
  await setup.run("set global lock_configuration = true");
  setup.closeSync();
  return {
    query: async (sql, parameters, tables) => {
      const connection = await instance.connect();
      try {
        const sources = tables.map((table) => ({ name: `"${table.name}"`, select: selectOf(table, root) }));
        if (isOneSelect.test(sql) && sources.length > 0) {
          // A view is planned when it is made and again when it is read. A lone select can neither write nor change a setting.
          const named = sources.map(({ name, select }) => `${name} as not materialized (${select})`);
          return await rowsOf(connection, `with ${named.join(", ")}\n${sql}`, parameters);
        }
        for (const { name, select } of sources) await connection.run(`create temp view ${name} as ${select}`);
        await refuseWriting(connection, sql);
        return await rowsOf(connection, sql, parameters);
      } finally {
        connection.closeSync();
      }
    },
    close: () => instance.closeSync(),
  };
}

const isNoStatement = /^(?:\s|;|--[^\n]*(?:\n|$))*$/;

/** A single statement that begins with `select`, after comments: a `with` can stand before it. */
const isOneSelect = /^(?:\s|--[^\n]*\n)*select\b[^;]*$/i;

/** Throws on whatever is not one statement that reads: below `root` DuckDB itself would let it write. */
async function refuseWriting(connection: DuckDBConnection, sql: string): Promise<void> {
  if (isNoStatement.test(sql)) throw new Error("a lake query is one statement, but this is none");
  const statements = await connection.extractStatements(sql);
  if (statements.count !== 1) throw new Error(`a lake query is one statement, but this is ${statements.count}`);
  const { statementType } = await statements.prepare(0);
  // `explain analyze` carries out what it explains.
  const isPlan = statementType === StatementType.EXPLAIN && !/\banalyze\b/i.test(sql);
  if (statementType === StatementType.SELECT || isPlan) return;
  throw new Error(`a lake query only reads, but this is ${StatementType[statementType]}: give a select`);
}

/**
 * What a query's table is: the files of this version, with the partition's value taken from their path. A file that is
 * older than a column has nulls there: the empty part in front names all columns, in case no file has one. A table that
 * lists no columns has those of its files.
 */
function selectOf({ files, columns, partitionColumn }: LakeTable, root: string): string {
  const nulls = columns.map((column) => `cast(null as ${sqlTypes[column.type]}) as "${column.name}"`);
  const empty = `select ${nulls.join(", ")} where false`;
  if (files.length === 0) return empty;
  const paths = files.map((file) => quoted(join(root, file)));
  const partition = partitionColumn ? `hive_types = {'${partitionColumn}': date}` : "hive_partitioning = false";
  const read = `select * from read_parquet([${paths.join(", ")}], union_by_name = true, ${partition})`;
  return columns.length === 0 ? read : `${empty} union all by name ${read}`;
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

async function rowsOf(
  connection: DuckDBConnection,
  sql: string,
  parameters: readonly (string | number)[],
): Promise<LakeRow[]> {
  const reader = await connection.runAndReadAll(sql, [...parameters]);
  const names = reader.deduplicatedColumnNames();
  const columns = reader.getColumns().map((values) => values.map(toPlain));
  return Array.from({ length: reader.currentRowCount }, (_, row) =>
    Object.fromEntries(names.map((name, index) => [name, columns[index]![row]!])),
  );
}

/** Timestamps as ISO 8601 in UTC; whatever else JavaScript has no type for as DuckDB prints it, dates as `YYYY-MM-DD`. */
function toPlain(value: DuckDBValue): LakeRow[string] {
  if (typeof value !== "object" || value === null) return value;
  return value instanceof DuckDBTimestampTZValue || value instanceof DuckDBTimestampValue
    ? isoTimestamp(value.micros)
    : String(value);
}

function isoTimestamp(micros: bigint): string {
  const text = new Date(Number(micros / 1000n)).toISOString();
  const rest = micros % 1000n;
  return rest === 0n ? text : `${text.slice(0, -1)}${String(rest).padStart(3, "0")}Z`;
}
