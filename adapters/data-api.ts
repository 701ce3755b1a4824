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
import { jsonBytes, replaceParameters, rowsOf, splitText, toParameter } from "./data-api-encoding.ts";
import { errorMessage } from "../pipeline/domain/errors.ts";

const mebibyte = 1024 * 1024;
/** The Data API's limit for a request is 4 MiB, including headers and the JSON around the values. */
const largestRequest = 4 * mebibyte - 64 * 1024;
const largestPart = 3 * mebibyte;
/** In a request that is too large, parameters above this size are staged in parts first. */
const longParameter = mebibyte;

/** A paused cluster resumes in about fifteen seconds. */
const resumePatienceMs = 60_000;
const resumePauseMs = 1_000;

export interface DataApiOptions {
  clusterArn: string;
  /** Secret of the user that runs the statements. */
  secretArn: string;
  database: string;
  /** Lets a statement continue in the database after a call times out: for migrations, which can be repeated. */
  continueAfterTimeout?: boolean;
  client?: RDSDataClient;
}

/**
 * A Data API client that retries throttled requests and stalled connections. The socket timeout (milliseconds) is above
 * the 45 s that a call may take.
 */
export function newDataApiClient(config: RDSDataClientConfig = {}): RDSDataClient {
  const requestHandler = { connectionTimeout: 3000, socketTimeout: 60_000 };
  return new RDSDataClient({ maxAttempts: 6, requestHandler, ...config });
}

type Execute = (sql: string, parameters: SqlParameter[]) => Promise<ExecuteStatementResponse>;

/**
 * Aurora PostgreSQL over the RDS Data API as the warehouse; rows have the same values as over the PostgreSQL protocol.
 * Waits for a paused cluster. Stages parameters that exceed one request in parts, if the user may call
 * `ops.stage_parameter`. A call whose response was lost is retried, so every statement must be idempotent.
 */
export function openDataApiWarehouse({
  clusterArn,
  secretArn,
  database,
  continueAfterTimeout = false,
  client,
}: DataApiOptions): TransactionalWarehouse {
  let opened = client;
  const target = { resourceArn: clusterArn, secretArn };
  async function call<Response>(send: (api: RDSDataClient) => Promise<Response>): Promise<Response> {
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
            ...target,
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
      const { transactionId } = await call((api) => api.send(new BeginTransactionCommand({ ...target, database })));
      const rollBack = () => call((api) => api.send(new RollbackTransactionCommand({ ...target, transactionId })));
      let result;
      try {
        const warehouse = within(transactionId);
        if (kind === "snapshot") {
          await warehouse.query("set transaction isolation level repeatable read, read only");
        }
        result = await use(warehouse);
      } catch (cause) {
        // If the rollback fails, the service rolls back after three idle minutes.
        await rollBack().catch(() => {});
        throw cause;
      }
      if (kind === "trial") await rollBack();
      else await call((api) => api.send(new CommitTransactionCommand({ ...target, transactionId })));
      return result;
    },
  };
}

async function runStatement<Row>(execute: Execute, sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
  const values = parameters.map((value, index) => toParameter(`p${index + 1}`, value));
  const staged = await stageLong(sql, values, execute);
  const named = replaceParameters(sql, (number) =>
    // A scalar subquery is evaluated once, independent of the statement's row count.
    staged.has(`p${number}`) ? `(select ops.take_parameter(:p${number}))` : `:p${number}`,
  );
  const sent = values.map((value) => staged.get(value.name!) ?? value);
  checkSize(named, sent);
  return rowsOf<Row>(await execute(named, sent));
}

/** Stages long parameters if one request cannot hold them all; maps each one's name to the id that replaces it. */
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
  throw new Error(`Data API: a request of ${bytes} bytes exceeds the limit of 4 MiB: send fewer parameters at once`);
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

const limits = "a result may have at most 1 MiB and a row 64 kB: query less at once";

const advice: Record<string, string> = {
  DatabaseErrorException: "PostgreSQL rejected the statement",
  BadRequestException: `the Data API rejected the statement (${limits})`,
  UnsupportedResultException: "the Data API does not support the type of a value: cast the column to text",
  DatabaseResumingException: `the paused cluster has not resumed after ${resumePatienceMs / 1000} s: try again`,
  DatabaseUnavailableException: "the cluster's writer is unavailable: try again, or check its events",
  HttpEndpointNotEnabledException: "the cluster has no Data API: enable its HTTP endpoint",
};

function explain(cause: unknown, isContinued: boolean): Error {
  const message = errorMessage(cause);
  if (nameOf(cause) === "StatementTimeoutException") {
    const then = isContinued ? "it continues in the database: run it again" : "it was stopped: process less at once";
    return new Error(`Data API: the statement exceeded the 45 s limit of a call; ${then}`, { cause });
  }
  return new Error(`Data API: ${advice[nameOf(cause)] ?? nameOf(cause)}: ${message}`, { cause });
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "Error";
}
