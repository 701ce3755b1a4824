import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  BeginTransactionCommand,
  CommitTransactionCommand,
  ExecuteStatementCommand,
  RDSDataClient,
  RollbackTransactionCommand,
  type ExecuteStatementResponse,
  type RDSDataClientConfig,
  type SqlParameter,
} from "@aws-sdk/client-rds-data";
import type { TransactionalWarehouse, Warehouse } from "../pipeline/ports.ts";
import { jsonBytes, splitText, replaceParameters, rowsOf, toParameter } from "./data-api-encoding.ts";

export interface DataApiOptions {
  clusterArn: string;
  /** The secret whose user runs the statements. */
  secretArn: string;
  database: string;
  /** Lets a statement that takes longer than a call may go on in the database: for migrations, which can be run again. */
  continueAfterTimeout?: boolean;
  client?: RDSDataClient;
}

const mebibyte = 1024 * 1024;
/** The Data API takes 4 MiB in one request, its headers and the JSON around the values included. */
const largestRequest = 4 * mebibyte - 64 * 1024;
const largestPart = 3 * mebibyte;
/** In a request that is too large, a parameter of more than this goes ahead in parts. */
const longParameter = mebibyte;

/** A paused cluster is back after some fifteen seconds. */
const resumePatienceMs = 60_000;
const resumePauseMs = 1_000;

/**
 * A Data API client that tries again where it is throttled, or a connection has gone silent: for longer than the 45 s that
 * a call may take (milliseconds).
 */
export function newDataApiClient(config: RDSDataClientConfig = {}): RDSDataClient {
  const requestHandler = { connectionTimeout: 3000, socketTimeout: 60_000 };
  return new RDSDataClient({ maxAttempts: 6, requestHandler, ...config });
}

type Execute = (sql: string, parameters: SqlParameter[]) => Promise<ExecuteStatementResponse>;

/**
 * Aurora PostgreSQL over the RDS Data API as the warehouse; rows are as from PostgreSQL itself. Waits for a paused
 * cluster, and sends what one request cannot carry ahead in parts (for a user who may call `ops.stage_parameter`). A call whose
 * answer was lost is made again: a statement must bear to run twice.
 */
export function openDataApiWarehouse({
  clusterArn,
  secretArn,
  database,
  continueAfterTimeout = false,
  client,
}: DataApiOptions): TransactionalWarehouse {
  let opened = client;
  const place = { resourceArn: clusterArn, secretArn };
  async function call<Answer>(send: (api: RDSDataClient) => Promise<Answer>): Promise<Answer> {
    const api = (opened ??= newDataApiClient());
    try {
      return await onceResumed(() => send(api));
    } catch (cause) {
      throw explain(cause, continueAfterTimeout);
    }
  }
  const within = (transactionId?: string): Warehouse => {
    const execute: Execute = (sql, parameters) =>
      call((api) =>
        api.send(
          new ExecuteStatementCommand({
            ...place,
            database,
            sql,
            parameters,
            includeResultMetadata: true,
            continueAfterTimeout,
            resultSetOptions: { decimalReturnType: "STRING", longReturnType: "STRING" },
            ...(transactionId !== undefined && { transactionId }),
          }),
        ),
      );
    return { query: (sql, parameters) => runStatement(execute, sql, parameters) };
  };
  return {
    ...within(),
    async transaction(kind, use) {
      const { transactionId } = await call((api) => api.send(new BeginTransactionCommand({ ...place, database })));
      const rollBack = () => call((api) => api.send(new RollbackTransactionCommand({ ...place, transactionId })));
      let result;
      try {
        const warehouse = within(transactionId);
        if (kind === "snapshot") {
          await warehouse.query("set transaction isolation level repeatable read, read only");
        }
        result = await use(warehouse);
      } catch (cause) {
        // One that cannot be undone now is undone by the service, once it has been idle for three minutes.
        await rollBack().catch(() => {});
        throw cause;
      }
      if (kind === "trial") await rollBack();
      else await call((api) => api.send(new CommitTransactionCommand({ ...place, transactionId })));
      return result;
    },
  };
}

async function runStatement<Row>(execute: Execute, sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
  const values = parameters.map((value, index) => toParameter(`p${index + 1}`, value));
  const staged = await stageLong(sql, values, execute);
  const named = replaceParameters(sql, (number) =>
    // A scalar subquery is worked out once, however many rows the statement around it has.
    staged.has(`p${number}`) ? `(select ops.take_parameter(:p${number}))` : `:p${number}`,
  );
  const sent = values.map((value) => staged.get(value.name!) ?? value);
  checkSize(named, sent);
  return rowsOf<Row>(await execute(named, sent));
}

/** Sends long parameters ahead where one request cannot hold all; gives for each, by its name, the id in its place. */
async function stageLong(
  sql: string,
  values: readonly SqlParameter[],
  execute: Execute,
): Promise<Map<string, SqlParameter>> {
  const staged = new Map<string, SqlParameter>();
  if (requestBytes(sql, values) <= largestRequest) return staged;
  for (const { name, value } of values) {
    const text = value?.stringValue;
    if (text === undefined || jsonBytes(text) <= longParameter) continue;
    const id = randomUUID();
    for (const [number, content] of splitText(text, largestPart).entries()) {
      const part = [toParameter("id", id), toParameter("number", number), toParameter("content", content)];
      await execute("select ops.stage_parameter(:id, :number::integer, :content) as part", part);
    }
    staged.set(name!, toParameter(name!, id));
  }
  return staged;
}

function checkSize(sql: string, parameters: readonly SqlParameter[]): void {
  const bytes = requestBytes(sql, parameters);
  if (bytes <= largestRequest) return;
  throw new Error(`Data API: a request of ${bytes} bytes is more than its 4 MiB: send fewer parameters at once`);
}

function requestBytes(sql: string, parameters: readonly SqlParameter[]): number {
  return jsonBytes(sql) + Buffer.byteLength(JSON.stringify(parameters));
}

async function onceResumed<Value>(send: () => Promise<Value>): Promise<Value> {
  const deadline = Date.now() + resumePatienceMs;
  for (;;) {
    try {
      return await send();
    } catch (error) {
      if (nameOf(error) !== "DatabaseResumingException" || Date.now() >= deadline) throw error;
      await sleep(resumePauseMs);
    }
  }
}

const limits = "an answer holds 1 MiB at most, a row 64 kB: ask for less at once";

const advice: Record<string, string> = {
  DatabaseErrorException: "PostgreSQL refused the statement",
  BadRequestException: `the Data API refused the statement (${limits})`,
  UnsupportedResultException: "the Data API cannot give such a value: cast the column to text",
  DatabaseResumingException: `the paused cluster is not back after ${resumePatienceMs / 1000} s: try again`,
  DatabaseUnavailableException: "the cluster's writer is not available: try again, or look at its events",
  HttpEndpointNotEnabledException: "the cluster has no Data API: enable its HTTP endpoint",
};

function explain(cause: unknown, isContinued: boolean): Error {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (nameOf(cause) === "StatementTimeoutException") {
    const then = isContinued ? "it goes on in the database: run it again" : "it was stopped: give it less to do";
    return new Error(`Data API: the statement took longer than the 45 s of a call; ${then}`, { cause });
  }
  return new Error(`Data API: ${advice[nameOf(cause)] ?? nameOf(cause)}: ${message}`, { cause });
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "Error";
}
