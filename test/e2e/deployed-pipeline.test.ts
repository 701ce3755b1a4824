import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { classicYear } from "../../bin/commands/send.ts";
import { encodeFailedBatch } from "../../pipeline/bronze/on-failure-objects.ts";
import { qualityRules } from "../../pipeline/domain/quality-rules.ts";
import { goldHash } from "../../pipeline/backup/manifest.ts";
import type { EventSink, StreamRecord } from "../../pipeline/ports.ts";
import { toOutgoing, type Outgoing } from "../../producer/batch-builder.ts";
import { createSender } from "../../producer/send-orders.ts";
import { openSilver } from "../../pipeline/silver/tables.ts";
import { openLocalPipeline } from "../../targets/local/open.ts";
import { changeDay } from "../pipeline/silver/change-day.ts";
import { temporaryPipeline } from "./command-line-fixture.ts";
import { recordedCalls } from "../support/recorded-calls.ts";
import { openAwsPipeline, type AwsPipeline } from "../lambdas/aws-fixture.ts";
import { forbiddenCalls } from "../lambdas/forbidden-calls.ts";
import { kinesisEvent } from "../lambdas/kinesis-events.ts";
import { prepareLocalPipeline } from "../support/prepared-postgres.ts";

const customerKey = "key of the pipeline's test";
const orders = 1500;

const firstOrders = () => Iterator.from(classicYear()).take(orders).toArray();

/**
 * The first weeks of the classic year, and events that silver rejects: a damaged one, and one with an unknown pizza.
 */
function events(): Outgoing[] {
  const first = firstOrders();
  const [order] = first as [(typeof first)[0]];
  const text = JSON.stringify({
    ...order,
    customer: { customer_id: "c-1", name: "Ada Lovelace", email: "ada@example.com" },
  });
  const damaged = { producerId: "till-damaged", bytes: Buffer.from(text.slice(0, -20)) };
  const unknown = { ...order, order_id: "2015-unknown", lines: [{ ...order.lines[0], pizza_id: "pineapple_xl" }] };
  return [...first.map((event) => toOutgoing(event)), damaged, toOutgoing(unknown as typeof order)];
}

async function send(sink: EventSink): Promise<void> {
  const sender = createSender({ sink, lingerMs: 1, batchEvents: 100 });
  for (const event of events()) await sender.send(event);
  await sender.close();
}

/** The gold hash of a local pipeline with the same events. */
async function embeddedHash(): Promise<string> {
  process.env["PIZZA_CUSTOMER_SECRET"] = customerKey;
  const { dir, remove } = temporaryPipeline();
  await prepareLocalPipeline(dir);
  const pipeline = await openLocalPipeline({ dir });
  try {
    await send(pipeline.sink);
    await pipeline.drain();
    const query = async (sql: string) => (await pipeline.query({ sql })) as never[];
    return (await goldHash({ query })).hash;
  } finally {
    await pipeline.close();
    remove();
  }
}

/**
 * Lands a shard as its event source mapping would: in batches, one of them twice, one sent to the on-failure
 * destination.
 */
async function land(pipeline: AwsPipeline, records: readonly StreamRecord[]): Promise<void> {
  const [givenUp, ...rest] = [records.slice(0, 2), records.slice(2, 5), records.slice(5)];
  for (const batch of rest) await pipeline.lambda("LandRecords").invoke(kinesisEvent(batch));
  await pipeline.lambda("LandRecords").invoke(kinesisEvent(records.slice(3, 6)));
  const { key, body } = encodeFailedBatch({
    name: "orders",
    streamArn: "arn:aws:kinesis:eu-central-1:000000000000:stream/orders",
    functionArn: "arn:aws:lambda:eu-central-1:000000000000:function:LandRecords",
    records: givenUp,
    condition: "RetryAttemptsExhausted",
    invokeCount: 11,
    failedAt: Date.now(),
    errorMessage: "the bucket was away",
  });
  await pipeline.s3.bucket("on-failure").put(key, body);
}

let aws: AwsPipeline;
let expected: string;

beforeAll(async () => {
  aws = await openAwsPipeline({ customerKey });
  expected = await embeddedHash();
  await aws.lambda("MigrateWarehouse").invoke({ RequestType: "Create" });
  await send(aws.sink);
  for (const records of await aws.records()) await land(aws, records);
});

afterAll(async () => {
  await aws?.close();
});

async function verify(): Promise<Record<string, unknown>> {
  const { receipt, quality } = (await aws.run("data_quality", {})) as Record<string, Record<string, unknown>>;
  return { ...receipt, quality };
}

describe("the deployed pipeline", () => {
  it("refines landed and failed batches into silver, and quarantines rejected events", async () => {
    const output = await aws.run("bronze_to_silver", { sweep: "full" });
    expect(output["redriven"]).toMatchObject({ redriven: 2, records: 4, unreadable: [] });
    expect(output["refined"]).toMatchObject({ events: orders + 2, accepted: orders, quarantined: 2, remaining: 0 });
    expect(output["quarantine"]).toMatchObject({ rows: 2 });
    expect(await aws.s3.bucket("on-failure").list("")).toEqual([]);
  });

  describe.each(["duckdb", "athena"] as const)("with the lake's SQL on %s", (lakeSql) => {
    beforeAll(async () => {
      aws.useLakeSql(lakeSql);
      await aws.emptyGold();
    });

    it("publishes exactly the same gold as a local pipeline", async () => {
      const output = await aws.run("silver_to_gold", { customers: "now" });
      expect((output["published"] as { published: number }[]).map(({ published }) => published)).not.toContain(0);
      expect(output["customersPublished"]).toMatchObject({ skipped: 0 });
      expect(output["reported"]).toMatchObject({ freshness: { orders } });
      expect((await goldHash(aws.gold)).hash).toBe(expected);
      expect(aws.athena.queries.length > 0).toBe(lakeSql === "athena");
    });

    it("has a receipt that balances, and sends no alert", async () => {
      const receipt = await verify();
      expect(receipt).toMatchObject({ balanced: true, findings: [], unpublishedDays: [] });
      expect(receipt["events"]).toMatchObject({ accepted: orders, pending: 0 });
      expect(receipt["quality"]).toMatchObject({ errors: 0, warnings: 0 });
      expect(aws.sns.calls).toEqual([]);
      const [kept] = await aws.gold.query("select count(*)::int as rules from ops.data_quality_results");
      expect(kept).toEqual({ rules: qualityRules.length });
    });

    it("changes nothing when everything runs again in the same processes", async () => {
      expect(await aws.run("bronze_to_silver", { sweep: "full" })).toMatchObject({ refined: { bronzeObjects: 0 } });
      expect(await aws.run("silver_to_gold", { customers: "when due" })).toMatchObject({ published: [] });
      expect((await goldHash(aws.gold)).hash).toBe(expected);
      expect(await verify()).toMatchObject({ balanced: true });
    });
  });

  it("makes a verified backup, and continues from it after the database is lost", async () => {
    const call = async (name: Parameters<AwsPipeline["lambda"]>[0], input: object = {}) =>
      (await aws.lambda(name).invoke(input)) as Record<string, unknown>;
    const made = await call("BackUpWarehouse");
    expect(made).toMatchObject({ goldHash: expected });
    const kept = { id: made["id"], keepDays: 35 };
    expect(await call("VerifyBackup", kept)).toMatchObject({ id: made["id"], removed: [] });
    expect(await call("SnapshotDatabase", kept)).toMatchObject({ state: "creating", isDone: false });
    aws.rds.finish();
    expect(await call("SnapshotDatabase", kept)).toMatchObject({ state: "exporting", isDone: false });
    aws.rds.finish();
    expect(await call("SnapshotDatabase", kept)).toMatchObject({ state: "complete", isDone: true });
    await expect(call("RestoreBackup")).rejects.toThrow("the warehouse is not empty");
    await aws.emptyGold();
    expect(await call("RestoreBackup")).toEqual(made);
    expect((await goldHash(aws.gold)).hash).toBe(expected);
    expect(await aws.run("silver_to_gold", { customers: "when due" })).toMatchObject({ published: [] });
    expect(await verify()).toMatchObject({ balanced: true });
  });

  it("writes no customer data to a log", () => {
    const customers = firstOrders().flatMap(({ customer }) => (customer ? [customer] : []));
    const texts = customers.flatMap(({ name, email, phone }) => [name, email, phone]);
    const known = texts.filter((text) => text !== undefined);
    expect(known.length).toBeGreaterThan(100);
    const log = aws.log();
    expect(["Ada", "pineapple", ...known].filter((text) => log.includes(text))).toEqual([]);
    expect(aws.lines("errorMessage").map((line) => line["function"])).toEqual(["RestoreBackup"]);
  });

  it("emits metrics with one dimension", () => {
    const sum = (name: string) => aws.lines(name).reduce((total, line) => total + Number(line[name]), 0);
    expect(sum("RedrivenRecords")).toBe(4);
    expect(sum("AcceptedOrders")).toBe(orders);
    expect(sum("QuarantinedEvents")).toBe(2);
    expect(sum("ReceiptFindings")).toBe(0);
    expect(sum("PublishedWindows")).toBeGreaterThan(20);
    expect(new Set(aws.lines("rule").map(({ rule }) => rule))).toEqual(new Set(qualityRules.map(({ name }) => name)));
    for (const line of aws.lines("rule")) {
      expect(line).toMatchObject({ environment: "test", QualityOffenders: 0 });
      expect(JSON.stringify(line["_aws"])).toContain('"Dimensions":[["environment","rule"]]');
    }
    for (const line of aws.lines("_aws").filter(({ rule }) => rule === undefined)) {
      expect(line).toMatchObject({ environment: "test", _aws: { CloudWatchMetrics: [{ Namespace: "PizzaSales" }] } });
      expect(JSON.stringify(line["_aws"])).toContain('"Dimensions":[["environment"]]');
    }
  });

  it("sends an alert if the receipt does not balance", async () => {
    await aws.gold.query("update gold.daily_sales_summary set revenue = revenue + 1 where order_date = '2015-01-03'");
    expect(await verify()).toMatchObject({ balanced: false, quality: { errors: 2 } });
    expect(aws.sns.calls).toHaveLength(1);
    expect(aws.lines("QualityErrors").at(-1)!["QualityErrors"]).toBe(2);
    expect(aws.sns.calls[0]).toMatchObject({
      operation: "Publish",
      input: { Subject: "Pizza sales: the receipt does not balance" },
    });
    expect(aws.lines("ReceiptFindings").at(-1)!["ReceiptFindings"]).toBeGreaterThan(0);
  });

  it("sends an alert about a quality rule that the receipt does not cover", async () => {
    aws.sns.calls.length = 0;
    const store = aws.s3.bucket("lake");
    const silver = openSilver({ store, clock: Date.now });
    const restore = await changeDay({ silver, store }, "2015-01-05", ([first, ...rows]) => [
      { ...first!, pizza_name: "" },
      ...rows,
    ]);
    const { quality } = await verify();
    expect(quality).toMatchObject({ results: expect.arrayContaining([expect.objectContaining(nameless)]) });
    expect(aws.sns.calls.map(({ input }) => input["Subject"])).toContain(
      "Pizza sales: quality rules are red: required_values",
    );
    await restore();
  });

  it("makes no AWS call that a function's role does not allow, with either engine", () => {
    expect(forbiddenCalls(recordedCalls)).toEqual([]);
    const callers = new Set(recordedCalls.map(({ caller }) => caller));
    expect([...callers].filter((caller) => caller.includes(".")).toSorted()).toMatchInlineSnapshot(`
      [
        "BackUpWarehouse.athena",
        "CheckQuality.athena",
        "CheckQuality.duckdb",
        "CompactSilver.athena",
        "LandRecords.athena",
        "MigrateWarehouse.athena",
        "PlanWindows.athena",
        "PublishCustomers.athena",
        "PublishCustomers.duckdb",
        "PublishQuarantine.athena",
        "PublishWindows.athena",
        "PublishWindows.duckdb",
        "RedriveLanding.athena",
        "RefineSilver.athena",
        "ReportWindows.athena",
        "RestoreBackup.athena",
        "SnapshotDatabase.athena",
        "VerifyBackup.athena",
        "VerifyReceipt.athena",
        "VerifyReceipt.duckdb",
      ]
    `);
    const services = new Set(recordedCalls.map(({ action }) => action.split(":")[0]));
    expect(services).toEqual(new Set(["athena", "kinesis", "rds", "rds-data", "s3", "secretsmanager", "sns"]));
  });
});

const nameless = { name: "required_values", isRed: true, offenders: 1 };
