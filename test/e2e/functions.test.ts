import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { functionEntries, functionNames, type FunctionEntry } from "../../lib/function-entries.ts";
import { readLineageEvents } from "../../pipeline/lineage/record-lineage.ts";
import { mistakesOf } from "../pipeline/lineage/validate-event.ts";
import { record } from "../pipeline/silver/refine-fixture.ts";
import { startHttpServer } from "../support/http-server.ts";
import { AwsFault } from "../support/aws-json.ts";
import { recordedCalls } from "../support/recorded-calls.ts";
import { startJsonServer, type JsonServer } from "../support/json-server.ts";
import { startS3Server, type S3Server } from "../support/s3-server.ts";
import { sharedBundle } from "../lambdas/bundles.ts";
import { forbiddenCalls } from "../lambdas/forbidden-calls.ts";
import { kinesisEvent } from "../lambdas/kinesis-events.ts";
import { startLambda, type LambdaHost } from "../lambdas/lambda-host.ts";

const dir = mkdtempSync(join(tmpdir(), "pizza-handlers-"));
const running: LambdaHost[] = [];
let s3: S3Server;
let states: JsonServer;
const names = new Set<unknown>();
let executions: { name: string; status: string; startDate: number; stopDate?: number }[] = [];

beforeAll(async () => {
  s3 = await startS3Server({ root: dir });
  states = await startJsonServer({
    answers: {
      ListExecutions: ({ statusFilter, maxResults }) => ({
        executions: executions
          .filter(({ status }) => statusFilter === undefined || status === statusFilter)
          .slice(0, maxResults as number),
      }),
      StartExecution({ name }) {
        if (names.has(name)) throw new AwsFault("ExecutionAlreadyExists");
        names.add(name);
        return { executionArn: "arn:aws:states:1", startDate: 1 };
      },
    },
  });
});

afterAll(async () => {
  await Promise.all(running.map((lambda) => lambda.close()));
  await Promise.all([s3?.close(), states?.close()]);
  rmSync(dir, { recursive: true, force: true });
});

function start(name: (typeof functionNames)[number], environment: Record<string, string> = {}): LambdaHost {
  const lambda = startLambda(sharedBundle(name, "athena"), environment);
  running.push(lambda);
  return lambda;
}

describe("every deployed function", () => {
  it.each(functionNames)("%s names a missing setting, and logs nothing about its input", async (name) => {
    const lambda = start(name);
    const message = /^setting \w+ is missing: set it in the function's environment to /;
    await expect(lambda.invoke({ Records: [], workflow: "backup", input: {}, customer: "Ada" })).rejects.toThrow(
      message,
    );
    const [line] = lambda.lines("errorMessage");
    expect(line).toMatchObject({
      level: "ERROR",
      message: "failed",
      function: name,
      errorName: "Error",
      environment: "test",
    });
    expect(line!["errorMessage"]).toMatch(message);
    expect(lambda.log()).not.toContain("Ada");
    expect(lambda.log()).not.toContain("Node.js");
  });

  it.each(functionNames)("%s has its files at the paths that its code reads", (name) => {
    const { path, handler } = sharedBundle(name, "athena");
    expect(existsSync(join(path, handler.replace(/\.handler$/, ".mjs")))).toBe(true);
    const entry: FunctionEntry = functionEntries[name];
    for (const file of entry.files ?? []) expect(existsSync(join(path, "lambdas", file)), file).toBe(true);
  });
});

describe("the landing function", () => {
  const records = [record(1, "not an order"), record(2, Buffer.from([0, 255, 10]))];

  it("is smaller than one megabyte, and contains nothing that only other functions need", () => {
    const { path, codeBytes } = sharedBundle("LandRecords", "athena");
    expect(codeBytes).toBeLessThan(1_000_000);
    const code = readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((file) => file.isFile())
      .map((file) => readFileSync(join(file.parentPath, file.name), "utf8"))
      .join("");
    for (const part of ["ZodError", "@duckdb", "schema_version", "parquetMetadata", "rds-data"]) {
      expect(code, part).not.toContain(part);
    }
  });

  it("lands an event's records as one object, and reuses that object if the event is repeated", async () => {
    const lambda = start("LandRecords", { AWS_ENDPOINT_URL_S3: s3.url, LAKE_BUCKET: "lake" });
    const landing = {
      records: 2,
      created: true,
      key: expect.stringMatching(/^bronze\/orders\/.*\.parquet$/) as string,
    };
    expect(await lambda.invoke(kinesisEvent(records))).toMatchObject(landing);
    expect(await lambda.invoke(kinesisEvent(records))).toMatchObject({ ...landing, created: false });
    expect(await s3.bucket("lake").list("")).toHaveLength(1);
    const [cold, warm] = lambda.lines("created");
    expect(cold).toMatchObject({ level: "INFO", message: "done", records: 2, created: true, cold_start: true });
    expect(warm).toMatchObject({ created: false, cold_start: false, request_id: "request-2" });
    expect(lambda.lines("LandedRecords")).toHaveLength(2);
  });

  it("fails as a whole if the store does, and logs nothing about the records", async () => {
    const lambda = start("LandRecords", { AWS_ENDPOINT_URL_S3: s3.url, LAKE_BUCKET: "other" });
    s3.faults.push({ on: "PUT", kind: "denied" });
    await expect(lambda.invoke(kinesisEvent([record(3, '{"name":"Ada Lovelace"}')]))).rejects.toThrow("other");
    expect(await s3.bucket("other").list("")).toEqual([]);
    expect(lambda.log()).not.toContain("Ada");
    expect(lambda.log()).not.toContain(Buffer.from('{"name":"Ada Lovelace"}').toString("base64"));
  });
});

describe("the function that a schedule invokes", () => {
  it("starts a state machine once for the same data, with the workflow's input", async () => {
    const machine = (name: string) => `arn:aws:states:eu-central-1:000000000000:stateMachine:${name}`;
    const stateMachines = { bronze_to_silver: machine("silver"), silver_to_gold: machine("gold") };
    const lambda = start("StartWorkflow", {
      AWS_ENDPOINT_URL_S3: s3.url,
      AWS_ENDPOINT_URL_SFN: states.url,
      LAKE_BUCKET: "empty",
      ON_FAILURE_BUCKET: "on-failure",
      STATE_MACHINES: JSON.stringify(stateMachines),
    });
    const schedule = { workflow: "silver_to_gold", input: { customers: "now" } };
    const [first, second] = [await lambda.invoke(schedule), await lambda.invoke(schedule)];
    expect(first).toMatchObject({ workflow: "silver_to_gold", outcome: "started" });
    const isSameHour = (first as { execution: string }).execution === (second as { execution: string }).execution;
    expect(second).toMatchObject({ outcome: isSameHour ? "already started" : "started" });
    const nothing = { LandedRecords: 0, PublishedWindows: 0 };
    expect(lambda.lines("LandedRecords")).toMatchObject([nothing, nothing]);
    const [begun] = states.calls.filter(({ input }) => "name" in input);
    expect(begun!.input).toEqual({
      stateMachineArn: stateMachines.silver_to_gold,
      name: (first as { execution: string }).execution,
      input: '{"customers":"when due"}',
    });
    const started = Math.floor(Date.now() / 1_000) - 3_600;
    const ended = (status: string) => [{ name: "x", status, startDate: started, stopDate: started + 60 }];
    for (const status of ["FAILED", "TIMED_OUT", "ABORTED"]) {
      executions = ended(status);
      names.delete(`empty-after-${new Date(started * 1_000).toISOString().slice(0, 19).replaceAll(":", "-")}`);
      expect(await lambda.invoke(schedule), status).toMatchObject({
        outcome: "started",
        execution: expect.stringMatching(/^empty-after-/) as string,
      });
    }
    for (const status of ["SUCCEEDED", "PENDING_REDRIVE"]) {
      executions = ended(status);
      expect(await lambda.invoke(schedule), status).toMatchObject({ outcome: "already started" });
    }
    executions = [{ name: "by hand", status: "RUNNING", startDate: started }];
    states.calls.length = 0;
    expect(await lambda.invoke(schedule)).toMatchObject({ outcome: "running" });
    expect(states.calls.map(({ input }) => input)).toEqual([
      { stateMachineArn: stateMachines.silver_to_gold, statusFilter: "RUNNING", maxResults: 1 },
    ]);
    const other = await lambda.invoke({ workflow: "bronze_to_silver", input: { sweep: "full" } });
    expect(other).toMatchObject({ workflow: "bronze_to_silver", outcome: "running" });
    await expect(lambda.invoke({ workflow: "gold_to_lead", input: {} })).rejects.toThrow(
      "workflow gold_to_lead is not deployed: choose one of bronze_to_silver, silver_to_gold",
    );
  });
});

describe("the function that records runs", () => {
  const machine = "arn:aws:states:eu-central-1:000000000000:stateMachine:quality";
  const run = {
    account: "000000000000",
    region: "eu-central-1",
    "detail-type": "Step Functions Execution Status Change",
    detail: {
      executionArn: "arn:aws:states:eu-central-1:000000000000:execution:quality:2026-11-24",
      stateMachineArn: machine,
      status: "FAILED",
      startDate: 1_795_000_000_000,
      stopDate: 1_795_000_001_000,
      error: "Error",
      cause: '{"errorMessage":"the books are in the wash"}',
    },
  };

  it("stores a run as an event in the lake, and sends it to the endpoint", async () => {
    const told: { path: string; event: unknown }[] = [];
    const marquez = await startHttpServer(async ({ url, body }) => {
      told.push({ path: url.pathname, event: JSON.parse(body.toString()) });
      return { status: 201 };
    });
    const lambda = start("RecordLineage", {
      AWS_ENDPOINT_URL_S3: s3.url,
      LAKE_BUCKET: "runs",
      BACKUP_BUCKET: "backups",
      STREAM_NAME: "orders-test",
      STATE_MACHINES: JSON.stringify({ data_quality: machine }),
      LINEAGE_WAREHOUSE: "postgres://gold.internal:5432/pizza_sales",
      OPENLINEAGE_URL: marquez.url,
    });
    try {
      expect(await lambda.invoke(run)).toMatchObject({ recorded: true, workflow: "data_quality", state: "FAIL" });
      const other = { ...run, detail: { ...run.detail, stateMachineArn: "arn:other" } };
      expect(await lambda.invoke(other)).toEqual({ recorded: false });
    } finally {
      await marquez.close();
    }
    const [event, ...more] = await readLineageEvents(s3.bucket("runs"), { since: "2026-01-01", limit: 9 });
    expect(more).toEqual([]);
    expect(mistakesOf(event!)).toEqual([]);
    expect(event).toMatchObject({
      eventType: "FAIL",
      job: { namespace: "pizza-sales-test", name: "data_quality" },
      run: { facets: { errorMessage: { message: "FAILED: Error: the books are in the wash" } } },
    });
    expect(event!.inputs.map(({ namespace }) => namespace)).toEqual(
      expect.arrayContaining([
        "arn:aws:kinesis:eu-central-1:000000000000",
        "s3://runs",
        "postgres://gold.internal:5432",
      ]),
    );
    expect(told).toEqual([{ path: "/api/v1/lineage", event }]);
    await expect(lambda.invoke(run)).rejects.toThrow("does not answer: check OPENLINEAGE_URL");
  });
});

it("no function makes an AWS call that its role does not allow", () => {
  expect(forbiddenCalls(recordedCalls)).toEqual([]);
  expect(new Set(recordedCalls.map(({ caller }) => caller))).toEqual(
    new Set(["LandRecords.athena", "StartWorkflow.athena", "RecordLineage.athena"]),
  );
});
