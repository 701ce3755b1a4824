import { randomUUID } from "node:crypto";
import { startHttpServer, type HttpAnswer, type TestServer } from "./http-server.ts";

/** The engine that runs queries and returns Athena's types and texts. Throws the query's error. */
export interface AthenaEngine {
  run(
    sql: string,
    context: { database: string; parameters: string[] },
  ): Promise<{ columns: { name: string; type: string }[]; rows: (string | null)[][] }>;
}

/** The possible faults: a throttled request, a lost response, or the workgroup's scan limit. */
export type AthenaFault = "TooManyRequestsException" | "answer lost" | "scan limit";

export interface AthenaServer extends TestServer {
  /** The queries that were started, in order. */
  queries: { sql: string; parameters: string[]; workgroup: string }[];
  /** The number of requests by operation. */
  requests: string[];
  /** Makes the next `times` requests fail this way. */
  fail(fault: AthenaFault, times?: number): void;
}

interface Execution {
  status: Record<string, unknown>;
  answer?: Awaited<ReturnType<AthenaEngine["run"]>>;
  polls: number;
}

/**
 * Athena's API over an engine: start, status, and pages of at most 1000 rows, the first of which starts with the names.
 */
export async function startAthenaServer({ engine }: { engine: AthenaEngine }): Promise<AthenaServer> {
  const executions = new Map<string, Execution>();
  const tokens = new Map<string, string>();
  const queries: AthenaServer["queries"] = [];
  const requests: string[] = [];
  const faults: AthenaFault[] = [];

  const operations: Record<string, (input: never) => Promise<HttpAnswer> | HttpAnswer> = {
    async StartQueryExecution(input: StartInput) {
      if (Buffer.byteLength(input.QueryString) > 262_144) return reject("InvalidRequestException", "Query too long");
      if (input.ExecutionParameters?.length === 0) return reject("InvalidRequestException", "empty parameters");
      const known = tokens.get(input.ClientRequestToken);
      if (known !== undefined) return json({ QueryExecutionId: known });
      const id = randomUUID();
      tokens.set(input.ClientRequestToken, id);
      const parameters = input.ExecutionParameters ?? [];
      queries.push({ sql: input.QueryString, parameters, workgroup: input.WorkGroup });
      const { Database: database } = input.QueryExecutionContext;
      const isLimited = faults[0] === "scan limit" && Boolean(faults.shift());
      executions.set(id, isLimited ? cancelled : await execute(engine, input.QueryString, { database, parameters }));
      return json({ QueryExecutionId: id });
    },
    GetQueryExecution({ QueryExecutionId: id }: { QueryExecutionId: string }) {
      const execution = executions.get(id)!;
      const state = execution.polls++ === 0 ? { State: "RUNNING" } : execution.status;
      const statistics = { DataScannedInBytes: 12_345 };
      return json({
        QueryExecution: { QueryExecutionId: id, Status: state, Statistics: statistics, WorkGroup: "tests" },
      });
    },
    GetQueryResults({ QueryExecutionId: id, NextToken: from = "0", MaxResults: size = 1000 }: ResultsInput) {
      const { columns, rows } = executions.get(id)!.answer!;
      const all = [columns.map(({ name }) => name), ...rows];
      const end = Number(from) + size;
      return json({
        ...(end < all.length && { NextToken: String(end) }),
        ResultSet: {
          ResultSetMetadata: { ColumnInfo: columns.map(({ name, type }) => ({ Name: name, Type: type })) },
          Rows: all.slice(Number(from), end).map((row) => ({ Data: row.map(toDatum) })),
        },
      });
    },
  };

  const server = await startHttpServer(async ({ headers, body, reset }) => {
    const operation = String(headers["x-amz-target"]).replace("AmazonAthena.", "");
    requests.push(operation);
    const fault = faults[0] === "scan limit" ? undefined : faults.shift();
    if (fault === "TooManyRequestsException") return reject(fault, "Rate exceeded");
    const answer = await operations[operation]!(JSON.parse(body.toString()) as never);
    if (fault === "answer lost") return reset() as undefined;
    return answer;
  });
  const fail = (fault: AthenaFault, times = 1) => void faults.push(...new Array<AthenaFault>(times).fill(fault));
  return { ...server, queries, requests, fail };
}

interface StartInput {
  QueryString: string;
  ExecutionParameters?: string[];
  ClientRequestToken: string;
  WorkGroup: string;
  QueryExecutionContext: { Database: string };
}

interface ResultsInput {
  QueryExecutionId: string;
  NextToken?: string;
  MaxResults?: number;
}

const cancelled: Execution = {
  status: { State: "CANCELLED", StateChangeReason: "Query cancelled! : Bytes scanned limit was exceeded" },
  polls: 0,
};

async function execute(
  engine: AthenaEngine,
  sql: string,
  context: { database: string; parameters: string[] },
): Promise<Execution> {
  try {
    return { status: { State: "SUCCEEDED" }, answer: await engine.run(sql, context), polls: 0 };
  } catch (error) {
    return { status: { State: "FAILED", StateChangeReason: (error as Error).message }, polls: 0 };
  }
}

const toDatum = (text: string | null) => (text === null ? {} : { VarCharValue: text });

function json(body: object, status = 200): HttpAnswer {
  return { status, headers: { "content-type": "application/x-amz-json-1.1" }, body: JSON.stringify(body) };
}

function reject(type: string, message: string): HttpAnswer {
  return json({ __type: type, Message: message }, 400);
}
