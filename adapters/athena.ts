import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  AthenaClient,
  GetQueryExecutionCommand,
  paginateGetQueryResults,
  StartQueryExecutionCommand,
  type AthenaClientConfig,
  type QueryExecution,
  type ColumnInfo,
  type Row,
} from "@aws-sdk/client-athena";
import type { LakeQuery, LakeRow, LakeTable, ObjectStore, LakeType } from "../pipeline/ports.ts";

export interface AthenaOptions {
  workgroup: string;
  /** Glue's database with the `_at` tables. */
  database: string;
  /** The bucket behind `store`. */
  bucket: string;
  store: Pick<ObjectStore, "put">;
  client?: AthenaClient;
}

/** An Athena client that tries again where Athena throttles it, or a connection has gone silent (milliseconds). */
export function newAthenaClient(config: AthenaClientConfig = {}): AthenaClient {
  const requestHandler = { connectionTimeout: 3000, socketTimeout: 20_000 };
  return new AthenaClient({ maxAttempts: 8, requestHandler, ...config });
}

/** Athena's limits: bytes of a query, characters of a parameter. */
const longestQuery = 262_144;
const longestParameter = 1024;

const [firstPauseMs, longestPauseMs] = [100, 1000];

/**
 * Athena as the lake's SQL, over the tables that a query names in its LakeTables and at just their files. Writes the list
 * of the files below `manifests/` first. Throws with the query's id where Athena fails or cancels it.
 */
export function openAthenaLake({ workgroup, database, bucket, store, client }: AthenaOptions): LakeQuery {
  let athena = client;
  return {
    async query(sql, parameters, tables) {
      athena ??= newAthenaClient();
      const text = withTables(sql, { tables, database, bucket });
      checkSizes(text, parameters);
      await writeManifests(tables, { bucket, store });
      // The SDK gives a start a token of its own: one whose answer was lost is sent again and runs once.
      const { QueryExecutionId: id } = await athena.send(
        new StartQueryExecutionCommand({
          QueryString: text,
          // An empty list is refused.
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

/** Always writes: a list of before may be about to expire, and a query without its list would find no rows. */
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
    throw new Error(`Athena: a query of ${bytes} bytes is more than the ${longestQuery} it takes: shorten it`);
  }
  const tooLong = parameters.find((value) => toLiteral(value).length > longestParameter);
  if (tooLong !== undefined) {
    throw new Error(`Athena: a parameter may have ${longestParameter} characters, this one has more: shorten it`);
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
    `Athena query ${id} was cancelled after ${scanned}: ${reason}; ` +
      `if that is the scan limit of the workgroup ${WorkGroup}, raise it or ask for fewer days at once`,
  );
}

async function readRows(athena: AthenaClient, id: string): Promise<LakeRow[]> {
  const rows: LakeRow[] = [];
  let isFirst = true;
  for await (const { ResultSet } of paginateGetQueryResults({ client: athena }, { QueryExecutionId: id })) {
    const columns = ResultSet?.ResultSetMetadata?.ColumnInfo ?? [];
    // The first page begins with a row of the columns' names.
    const page = isFirst ? (ResultSet?.Rows ?? []).slice(1) : (ResultSet?.Rows ?? []);
    for (const row of toLakeRows(page, columns)) rows.push(row);
    isFirst = false;
  }
  return rows;
}

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

type Value = LakeRow[string];

/** By Athena's name of the type; what is not here is text, dates as `YYYY-MM-DD` and decimals among it. */
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

/** Rows of an answer as the lake's port promises them. A cell without text is null, one with an empty text is not. */
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

/** `2015-03-01 11:38:36.120000 UTC` as `2015-03-01T11:38:36.120Z`: three digits, or six where they say more. */
function isoTimestamp(text: string): string {
  const [, day, time, fraction = "", zone] = /^(\S+) ([\d:]+)(?:\.(\d{1,6})\d*)?(?: (.*))?$/.exec(text) ?? [];
  if (day === undefined || (zone !== undefined && zone !== "UTC")) {
    throw new Error(`Athena: ${text} is no timestamp in UTC: convert it in the query (at time zone 'UTC')`);
  }
  const digits = fraction.padEnd(3, "0").replace(/^(...)0*$/, "$1");
  return `${day}T${time}.${digits.length > 3 ? digits.padEnd(6, "0") : digits}Z`;
}
