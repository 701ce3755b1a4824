import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  AthenaClient,
  GetQueryExecutionCommand,
  paginateGetQueryResults,
  StartQueryExecutionCommand,
  type AthenaClientConfig,
  type ColumnInfo,
  type QueryExecution,
  type Row,
} from "@aws-sdk/client-athena";
import type { LakeQuery, LakeRow, LakeTable, LakeType, ObjectStore } from "../pipeline/ports.ts";

/** Athena's limits: bytes of a query, characters of a parameter. */
const longestQuery = 262_144;
const longestParameter = 1024;

const [firstPauseMs, longestPauseMs] = [100, 1000];

const sqlTypes: Record<LakeType, string> = {
  string: "varchar",
  int: "integer",
  long: "bigint",
  boolean: "boolean",
  timestamp: "timestamp with time zone",
  date: "date",
};

export interface AthenaOptions {
  workgroup: string;
  /** Glue database with the `_at` tables. */
  database: string;
  /** The bucket behind `store`. */
  bucket: string;
  store: Pick<ObjectStore, "put">;
  client?: AthenaClient;
}

/** An Athena client that retries throttled requests and stalled connections (timeouts in milliseconds). */
export function newAthenaClient(config: AthenaClientConfig = {}): AthenaClient {
  const requestHandler = { connectionTimeout: 3000, socketTimeout: 20_000 };
  return new AthenaClient({ maxAttempts: 8, requestHandler, ...config });
}

/**
 * The lake's SQL through Athena, over exactly the files of a query's LakeTables. First writes their manifests below
 * `manifests/`. Throws with the query id if Athena fails or cancels the query.
 */
export function openAthenaLake({ workgroup, database, bucket, store, client }: AthenaOptions): LakeQuery {
  let athena = client;
  return {
    async query(sql, parameters, tables) {
      athena ??= newAthenaClient();
      const text = withTables(sql, { tables, database, bucket });
      checkSizes(text, parameters);
      await writeManifests(tables, { bucket, store });
      // The SDK adds a ClientRequestToken, so a retry after a lost response does not run the query twice.
      const { QueryExecutionId: id } = await athena.send(
        new StartQueryExecutionCommand({
          QueryString: text,
          // Athena rejects an empty list.
          ...(parameters.length > 0 && { ExecutionParameters: parameters.map(toLiteral) }),
          WorkGroup: workgroup,
          QueryExecutionContext: { Database: database },
        }),
      );
      await untilDone(athena, id!);
      return await readRows(athena, id!);
    },
  };
}

/**
 * Always writes: an existing manifest may be about to expire, and a query without its manifest would return no rows.
 */
async function writeManifests(
  tables: readonly LakeTable[],
  { bucket, store }: Pick<AthenaOptions, "bucket" | "store">,
): Promise<void> {
  const manifests = tables.map((table) => manifestOf(table, bucket)).filter((manifest) => manifest !== undefined);
  await Promise.all(manifests.map(({ key, text }) => store.put(key, Buffer.from(text))));
}

function checkSizes(sql: string, parameters: readonly (string | number)[]): void {
  const bytes = Buffer.byteLength(sql);
  if (bytes > longestQuery) {
    throw new Error(`Athena: a query of ${bytes} bytes exceeds the limit of ${longestQuery}: shorten it`);
  }
  const tooLong = parameters.find((value) => toLiteral(value).length > longestParameter);
  if (tooLong !== undefined) {
    throw new Error(`Athena: a parameter exceeds the limit of ${longestParameter} characters: shorten it`);
  }
}

async function untilDone(athena: AthenaClient, id: string): Promise<void> {
  for (let pause = firstPauseMs; ; pause = Math.min(pause * 1.5, longestPauseMs)) {
    const { QueryExecution: execution } = await athena.send(new GetQueryExecutionCommand({ QueryExecutionId: id }));
    const state = execution?.Status?.State;
    if (state === "SUCCEEDED") return;
    if (state === "FAILED" || state === "CANCELLED") throw failureOf(id, execution!);
    await sleep(pause);
  }
}

function failureOf(id: string, { Status, Statistics, WorkGroup }: QueryExecution): Error {
  const reason = Status?.StateChangeReason ?? Status?.AthenaError?.ErrorMessage ?? "Athena gives no reason";
  if (Status?.State === "FAILED") return new Error(`Athena query ${id} failed: ${reason}`);
  const scanned = `${Statistics?.DataScannedInBytes ?? 0} bytes scanned`;
  return new Error(
    `Athena query ${id} was cancelled after ${scanned}: ${reason}: ` +
      `if the cause is the scan limit of workgroup ${WorkGroup}, raise it or query fewer days at once`,
  );
}

async function readRows(athena: AthenaClient, id: string): Promise<LakeRow[]> {
  const rows: LakeRow[] = [];
  let isFirst = true;
  for await (const { ResultSet } of paginateGetQueryResults({ client: athena }, { QueryExecutionId: id })) {
    const columns = ResultSet?.ResultSetMetadata?.ColumnInfo ?? [];
    // The first row of the first page has the column names.
    const page = isFirst ? (ResultSet?.Rows ?? []).slice(1) : (ResultSet?.Rows ?? []);
    for (const row of toLakeRows(page, columns)) rows.push(row);
    isFirst = false;
  }
  return rows;
}

/** The list of a version's files, in the format of Athena's SymlinkTextInputFormat. */
export interface Manifest {
  /** SHA-256 of the text, so that equal file lists have equal names. */
  name: string;
  key: string;
  text: string;
}

/** The manifest of a table's files in a bucket; undefined for a table without files. */
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
 * Prefixes the query with one common table expression per table, under the table's name, which reads the Glue table
 * `<table>_at` (the LakeTable's name without its layer) at a manifest. Athena reads a Delta table only at its newest
 * version, but gold must be computed from one fixed version.
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
  // Hive's timestamps have no time zone; the lake's are UTC.
  return type === "timestamp" ? `with_timezone("${name}", 'UTC')` : `"${name}"`;
}

/** A parameter as a SQL literal, the form that Athena requires. */
export function toLiteral(value: string | number): string {
  return typeof value === "number" ? String(value) : `'${value.replaceAll("'", "''")}'`;
}

type Value = LakeRow[string];

/** By Athena type name; values of other types stay text, including dates (`YYYY-MM-DD`) and decimals. */
const parsers: Record<string, (text: string) => Value> = {
  tinyint: Number,
  smallint: Number,
  integer: Number,
  real: Number,
  double: Number,
  bigint: BigInt,
  boolean: (text) => text === "true",
  timestamp: isoTimestamp,
  "timestamp with time zone": isoTimestamp,
};

/** Result rows as LakeQuery defines them. A cell without text is null; an empty text is not. */
export function toLakeRows(rows: readonly Row[], columns: readonly ColumnInfo[]): LakeRow[] {
  const readers = columns.map(({ Name = "", Type = "" }) => [Name, parsers[Type] ?? String] as const);
  return rows.map(({ Data = [] }) =>
    Object.fromEntries(
      readers.map(([name, parse], index) => {
        const text = Data[index]?.VarCharValue;
        return [name, text === undefined ? null : parse(text)];
      }),
    ),
  );
}

/** `2015-03-01 11:38:36.120000 UTC` as `2015-03-01T11:38:36.120Z`: three fraction digits, or six if needed. */
function isoTimestamp(text: string): string {
  const [, day, time, fraction = "", zone] = /^(\S+) ([\d:]+)(?:\.(\d{1,6})\d*)?(?: (.*))?$/.exec(text) ?? [];
  if (day === undefined || (zone !== undefined && zone !== "UTC")) {
    throw new Error(`Athena: ${text} is not a UTC timestamp: convert it in the query (at time zone 'UTC')`);
  }
  const digits = fraction.padEnd(3, "0").replace(/^(...)0*$/, "$1");
  return `${day}T${time}.${digits.length > 3 ? digits.padEnd(6, "0") : digits}Z`;
}
