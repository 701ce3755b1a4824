import { randomUUID } from "node:crypto";
import { Pool, type PoolClient, type QueryArrayResult } from "pg";
import { columnMetadata, toField } from "./data-api-fields.ts";
import { startHttpServer, type HttpAnswer, type HttpRequest, type TestServer } from "./http-server.ts";

interface Statement {
  secretArn: string;
  transactionId?: string;
  sql: string;
  parameters?: { name: string; value: Record<string, unknown> }[];
  continueAfterTimeout?: boolean;
  resultSetOptions?: { longReturnType?: string };
}

/** The possible faults of the next statements: an error of the service, or a lost response. */
export type DataApiFault = "DatabaseResumingException" | "ThrottlingException" | "answer lost";

export interface DataApiServer extends TestServer {
  /** The received statements, in order. */
  statements: { sql: string; bytes: number }[];
  /** Makes the next `times` statements fail this way. */
  fail(fault: DataApiFault, times?: number): void;
}

const mebibyte = 1024 * 1024;

/**
 * The RDS Data API over a real PostgreSQL, with the service's limits: 4 MiB per request, 1 MiB per response, 64 kB per
 * row, one statement per call, parameters with the type of their value, and only the supported types.
 * `connectionStrings` are keyed by the secret's ARN; `timeoutMs` is the time limit of a call, 45 s in the service.
 */
export async function startDataApiServer({
  connectionStrings,
  timeoutMs = 45_000,
}: {
  connectionStrings: Record<string, string>;
  timeoutMs?: number;
}): Promise<DataApiServer> {
  const pools = new Map(Object.entries(connectionStrings).map(([arn, url]) => [arn, openPool(url)]));
  const faults: DataApiFault[] = [];
  const statements: DataApiServer["statements"] = [];
  const open = new Map<string, PoolClient>();
  const server = await startHttpServer(async ({ url, body, reset }: HttpRequest) => {
    if (url.pathname.endsWith("Transaction")) return await changeTransaction(url.pathname.slice(1), body);
    if (url.pathname !== "/Execute") return reject("BadRequestException", `${url.pathname} is not served here`);
    if (body.length > 4 * mebibyte) return reject("BadRequestException", "Request size exceeds the 4 MiB limit");
    const statement = JSON.parse(body.toString()) as Statement;
    statements.push({ sql: statement.sql, bytes: body.length });
    const fault = faults.shift();
    if (fault !== undefined && fault !== "answer lost") return reject(fault, `${fault} of the test`);
    const pool = pools.get(statement.secretArn);
    if (!pool) return reject("SecretsErrorException", `no secret ${statement.secretArn}`);
    const within = statement.transactionId === undefined ? undefined : open.get(statement.transactionId);
    if (statement.transactionId !== undefined && within === undefined) {
      return reject("TransactionNotFoundException", `no transaction ${statement.transactionId}`);
    }
    const answer = await execute(pool, statement, { timeoutMs, within });
    if (fault === "answer lost") return reset() as undefined;
    return answer;
  });
  /** BeginTransaction, CommitTransaction, RollbackTransaction: each transaction has a separate connection. */
  async function changeTransaction(operation: string, body: Buffer): Promise<HttpAnswer> {
    const { secretArn, transactionId: id = randomUUID() } = JSON.parse(body.toString()) as Statement;
    const answer = (fields: object) => ({
      headers: { "content-type": "application/json" },
      body: JSON.stringify(fields),
    });
    if (operation === "BeginTransaction") {
      const client = await pools.get(secretArn)!.connect();
      await client.query("begin");
      open.set(id, client);
      return answer({ transactionId: id });
    }
    const client = open.get(id);
    if (client === undefined) return reject("TransactionNotFoundException", `no transaction ${id}`);
    open.delete(id);
    await client.query(operation === "CommitTransaction" ? "commit" : "rollback");
    client.release();
    return answer({
      transactionStatus: operation === "CommitTransaction" ? "Transaction Committed" : "Rollback Complete",
    });
  }

  return {
    url: server.url,
    statements,
    fail: (fault, times = 1) => void faults.push(...new Array<DataApiFault>(times).fill(fault)),
    async close() {
      await server.close();
      await Promise.all([...pools.values()].map((pool) => pool.end()));
    },
  };
}

function openPool(connectionString: string): Pool {
  const getTypeParser = () => (text: string) => text;
  const options = "-c timezone=UTC -c datestyle=ISO";
  const pool = new Pool({ connectionString, max: 8, types: { getTypeParser: getTypeParser as never }, options });
  // A server that stops before its clients have disconnected reports an error to them.
  pool.on("error", () => {});
  return pool;
}

async function execute(
  pool: Pool,
  statement: Statement,
  { timeoutMs, within }: { timeoutMs: number; within: PoolClient | undefined },
): Promise<HttpAnswer> {
  const { text, values } = bind(statement);
  const client = within ?? (await pool.connect());
  const { processID: pid } = client as PoolClient & { processID: number };
  // The extended protocol accepts only one statement, like the service.
  const query = { text, values, rowMode: "array", queryMode: "extended" } as const;
  const running = client.query(query).finally(() => within ?? client.release());
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<"timeout">((resolve) => (timer = setTimeout(() => resolve("timeout"), timeoutMs)));
  try {
    const result = await Promise.race([running, timeout]);
    if (result !== "timeout") return answerOf(result, statement.resultSetOptions?.longReturnType ?? "LONG");
    if (!statement.continueAfterTimeout) await pool.query("select pg_cancel_backend($1)", [pid]);
    running.catch(() => {});
    return reject("StatementTimeoutException", "Statement was terminated because it exceeded the time limit");
  } catch (error) {
    const { name, message, code } = error as Error & { code?: string };
    if (name === "UnsupportedResultException") return reject(name, message);
    return reject("DatabaseErrorException", `ERROR: ${message}; SQLState: ${code}`);
  } finally {
    clearTimeout(timer);
  }
}

const casts: Record<string, string> = { longValue: "bigint", doubleValue: "float8", booleanValue: "boolean" };

/** A statement with named parameters in PostgreSQL's format: each has the type of its value, or text. */
function bind({ sql, parameters = [] }: Statement): { text: string; values: unknown[] } {
  const names = parameters.map(({ name }) => name);
  const outside = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\$(\w*)\$[^]*?\$\1\$|::|:(\w+)/g;
  const text = sql.replace(outside, (token: string, _tag: unknown, name: string | undefined) => {
    if (name === undefined) return token;
    const index = names.indexOf(name);
    if (index < 0) return token;
    const [kind = ""] = Object.keys(parameters[index]!.value);
    return `($${index + 1}::${casts[kind] ?? "text"})`;
  });
  const values = parameters.map(({ value }) => (value["isNull"] === true ? null : Object.values(value)[0]));
  return { text, values };
}

function answerOf({ fields, rows }: QueryArrayResult, longReturnType: string): HttpAnswer {
  const columns = columnMetadata(fields);
  let size = 0;
  for (const row of rows as (string | null)[][]) {
    const bytes = row.reduce((sum, value) => sum + (value === null ? 1 : Buffer.byteLength(value)), 0);
    if (bytes > 64 * 1024) return reject("BadRequestException", "Database returned a row beyond the row size limit");
    size += bytes;
  }
  if (size > mebibyte) {
    return reject("BadRequestException", "Database returned more than the allowed response size limit");
  }
  const records = (rows as (string | null)[][]).map((row) =>
    row.map((value, index) => toField(value, columns[index]!.typeName, longReturnType)),
  );
  const body = JSON.stringify({ columnMetadata: columns, records, numberOfRecordsUpdated: 0 });
  return { headers: { "content-type": "application/json" }, body };
}

function reject(name: string, message: string): HttpAnswer {
  return {
    status: name === "ThrottlingException" ? 429 : 400,
    headers: { "content-type": "application/json", "x-amzn-errortype": name },
    body: JSON.stringify({ message }),
  };
}
