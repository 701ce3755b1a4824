import { setTimeout as sleep } from "node:timers/promises";
import {
  AthenaClient,
  GetQueryExecutionCommand,
  paginateGetQueryResults,
  StartQueryExecutionCommand,
  type AthenaClientConfig,
  type QueryExecution,
} from "@aws-sdk/client-athena";
import type { LakeQuery, LakeRow, LakeTable, ObjectStore } from "../ports.ts";
import { manifestOf, toLiteral, withTables } from "./athena-sql.ts";
import { toLakeRows } from "./athena-values.ts";

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
