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

/** Comments, white space and semicolons only. */
const isNoStatement = /^(?:\s|;|--[^\n]*(?:\n|$))*$/;

/** A single statement that starts with `select`, after comments, so that a `with` clause can be put before it. */
const isOneSelect = /^(?:\s|--[^\n]*\n)*select\b[^;]*$/i;

/**
 * DuckDB on the Parquet files below `root` and nothing else. Queries may be ad-hoc SQL from users, so each must be a
 * single reading statement, cannot access other files and cannot change settings. Queries may run concurrently, because
 * each has its own table names; they share `threads` and `memoryLimit` (such as `512MB`). Closing interrupts
 * them.
 */
export async function openDuckDbLake({
  root,
  threads = 2,
  memoryLimit = "512MB",
}: {
  root: string;
  threads?: number;
  memoryLimit?: string;
}): Promise<LakeQuery & { close(): Promise<void> }> {
  const instance = await DuckDBInstance.create(":memory:", {
    threads: String(threads),
    memory_limit: memoryLimit,
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  // Data files are immutable and consecutive queries read the same ones, so their footers are cached.
  const setup = await instance.connect();
  await setup.run("set global parquet_metadata_cache = true");
  await setup.run(`set global allowed_directories = [${quoted(root)}]`);
  await setup.run("set global enable_external_access = false");
  await setup.run("set global lock_configuration = true");
  setup.closeSync();
  const closing = new AbortController();
  const running = new Set<Promise<unknown>>();
  return {
    query: async (sql, parameters, tables, { signal } = {}) => {
      const signals = signal === undefined ? [closing.signal] : [closing.signal, signal];
      const answer = answerUntil(AbortSignal.any(signals), instance, async (connection) => {
        const sources = tables.map((table) => ({ name: `"${table.name}"`, select: selectOf(table, root) }));
        if (isOneSelect.test(sql) && sources.length > 0) {
          // A CTE is planned once, a view when created and when read. A lone select cannot write or change settings.
          const named = sources.map(({ name, select }) => `${name} as not materialized (${select})`);
          return await rowsOf(connection, `with ${named.join(", ")}\n${sql}`, parameters);
        }
        for (const { name, select } of sources) await connection.run(`create temp view ${name} as ${select}`);
        await rejectWriting(connection, sql);
        return await rowsOf(connection, sql, parameters);
      });
      running.add(answer);
      return await answer.finally(() => running.delete(answer));
    },
    async close() {
      closing.abort(new Error("the lake was closed: open it again"));
      await Promise.allSettled(running);
      instance.closeSync();
    },
  };
}

/** Again and again, because an interrupt between two statements of a query has no effect. */
const interruptEveryMs = 50;

/** Runs a query on a separate connection; once the signal is aborted, interrupts it and throws the signal's reason. */
async function answerUntil<Result>(
  signal: AbortSignal,
  instance: DuckDBInstance,
  query: (connection: DuckDBConnection) => Promise<Result>,
): Promise<Result> {
  signal.throwIfAborted();
  const connection = await instance.connect();
  let timer: NodeJS.Timeout | undefined;
  const interrupt = () => {
    connection.interrupt();
    timer ??= setInterval(() => connection.interrupt(), interruptEveryMs);
  };
  signal.addEventListener("abort", interrupt);
  try {
    signal.throwIfAborted();
    return await query(connection);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    clearInterval(timer);
    signal.removeEventListener("abort", interrupt);
    connection.closeSync();
  }
}

/** Throws unless the SQL is a single reading statement: below `root`, DuckDB itself would permit writing. */
async function rejectWriting(connection: DuckDBConnection, sql: string): Promise<void> {
  if (isNoStatement.test(sql)) throw new Error("a lake query must be one statement, but this text has no statement");
  const statements = await connection.extractStatements(sql);
  if (statements.count !== 1) throw new Error(`a lake query must be one statement, but this is ${statements.count}`);
  const { statementType } = await statements.prepare(0);
  // `explain analyze` executes the statement.
  const isPlan = statementType === StatementType.EXPLAIN && !/\banalyze\b/i.test(sql);
  if (statementType === StatementType.SELECT || isPlan) return;
  throw new Error(`a lake query must only read, but this is ${StatementType[statementType]}: give a select`);
}

/**
 * The select for a table: the files of its version, with the partition value from their path. Columns newer than a file
 * are null there; the empty select declares all columns in case no file has one. A table without listed columns has its
 * files' columns.
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

/**
 * Timestamps as ISO 8601 in UTC; other types unknown to JavaScript as DuckDB prints them, such as dates (`YYYY-MM-DD`).
 */
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
