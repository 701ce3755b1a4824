import { spawn } from "node:child_process";
import { createServer, type AddressInfo } from "node:net";
import { CloudFormationClient, type CloudFormationClientConfig } from "@aws-sdk/client-cloudformation";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeBronze } from "../../../pipeline/bronze/bronze-object.ts";
import { toOutgoing } from "../../../producer/batch-builder.ts";
import { createSender } from "../../../producer/send-orders.ts";
import type { DeployedPipeline } from "../../../targets/aws/open.ts";
import { order } from "../../support/order-fixture.ts";
import { needsProcess, pizzaInProcess } from "../../e2e/command-line-in-process.ts";
import { AwsFault } from "../../support/aws-json.ts";
import { startDeployedPipeline, type DeployedFixture } from "./deployed-fixture.ts";

const script = new URL("../../../bin/pizza.ts", import.meta.url).pathname;

let cloud: DeployedFixture;
let pipeline: DeployedPipeline;

beforeAll(async () => {
  cloud = await startDeployedPipeline();
  Object.assign(process.env, cloud.environment);
  // A dynamic import, because the clients read their endpoints from the environment.
  const { openDeployedPipeline } = await import("../../../targets/aws/open.ts");
  pipeline = await openDeployedPipeline({ environment: "dev" });
});

afterAll(async () => {
  await pipeline.close();
  await cloud.close();
});

/** Runs the command line with these credentials. */
async function pizza(args: string[], environment: Record<string, string> = {}) {
  const env = { ...process.env, ...cloud.environment, NO_COLOR: "1", ...environment };
  const child = spawn(process.execPath, [script, ...args], { env });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, stdout, stderr };
}

const aws = async (...args: string[]) =>
  needsProcess(args) ? await pizza(["--target", "aws", ...args]) : await pizzaInProcess("--target", "aws", ...args);
const json = async (...args: string[]) => JSON.parse((await aws(...args, "--json")).stdout);

describe("a deployed pipeline", () => {
  it("moves orders from its stream into gold, and its receipt balances", async () => {
    const sender = createSender({ sink: pipeline.sink });
    for (let n = 1; n <= 40; n++) {
      const producer = { producer_id: `till-nyc-01-${n % 4}`, seq: Math.ceil(n / 4) };
      await sender.send(toOutgoing(order({ order_id: `remote-${n}`, producer })));
    }
    await sender.close();
    const before = await pipeline.status();
    expect(before.stream!.shardsBehind).toBeGreaterThan(0);
    expect(before.stream!.waitingSeconds).toBeGreaterThanOrEqual(0);
    await cloud.land();
    await pipeline.drain();
    expect((await pipeline.status()).stream).toEqual({ shards: 2, shardsBehind: 0 });
    const [day] = await pipeline.query({ sql: "select orders, revenue from gold.daily_sales_summary" });
    expect(day).toEqual({ orders: 40, revenue: "530.00" });
    const receipt = await pipeline.verify();
    expect(receipt.findings).toEqual([]);
    expect(cloud.athena.queries.length).toBeGreaterThan(0);
    expect(receipt).toMatchObject({ events: { distinct: 40, accepted: 40 }, gold: { orders: 40, cents: 53_000 } });
  });

  it("checks the quality rules with read-only credentials, and profiles silver", async () => {
    const { errors, results } = await pipeline.quality();
    // The orders are of 2015, and their tills do not say that they send history.
    const red = results.filter(({ isRed }) => isRed).map(({ name }) => name);
    expect({ errors, red }).toEqual({ errors: 0, red: ["till_clocks"] });
    expect(await pipeline.profile()).toMatchObject({ lines: 40, linesBefore: 0, week: { until: "2015-01-01" } });
    const one = await aws("quality", "--rule", "line_amounts", "--lake-sql", "duckdb");
    expect(one).toMatchObject({ code: 0, stdout: expect.stringContaining("All rules are green.") });
  });

  it("exits with code 3 if a bronze object is missing", async () => {
    const [object] = await cloud.store.list("bronze/");
    const body = await cloud.store.get(object!.key);
    await cloud.store.delete(object!.key);
    const lost = await aws("verify", "--lake-sql", "duckdb");
    await cloud.store.put(object!.key, body!);
    expect(lost).toMatchObject({ code: 3, stdout: expect.stringContaining("DOES NOT BALANCE") });
  });

  it("reports its layers, its event source mapping and its newest executions", async () => {
    const status = await pipeline.status();
    expect(status).toMatchObject({
      deployment: { environment: "dev", region: "eu-central-1", stream: "orders-dev", landing: "Enabled; OK" },
      silver: { version: 0, lines: 40, days: 1 },
      gold: { windows: 1, silverVersion: 0 },
      postgres: { host: "gold.cluster.internal", port: 5432 },
    });
    expect(status.workflows.map(({ workflow }) => workflow)).toEqual(["bronze_to_silver", "silver_to_gold"]);
    const { stdout } = await aws("status");
    expect(stdout).toContain("pipeline    dev in eu-central-1");
    expect(stdout).toContain("landing: Enabled; OK, 0 records in the on-failure destination");
  });

  it("reports within five seconds that the bucket accepts connections and says nothing", async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as AddressInfo;
    const AWS_ENDPOINT_URL_S3 = `http://127.0.0.1:${port}`;
    const started = performance.now();
    const { code, stdout } = await pizza(["status", "--check", "--target", "aws"], { AWS_ENDPOINT_URL_S3 });
    expect(performance.now() - started).toBeLessThan(5500);
    expect({ code, stdout }).toMatchObject({ code: 5, stdout: expect.stringMatching(/^silver {6}unknown$/m) });
    expect(stdout).toMatch(/^PROBLEM {5}The bucket \S+ does not answer since \S+Z\.$/m);
    expect(stdout).toMatch(/^gold {8}1 days from silver version 0/m);
    silent.close();
  });

  it("answers SQL on gold as the reader role, and on silver at a version", async () => {
    expect(await json("query", "select current_user::text as who")).toEqual([{ who: "pizza_reader" }]);
    const silver = "select count(*) as n from silver_order_lines";
    expect(await pipeline.query({ sql: silver, lake: true, version: 0 })).toEqual([{ n: 40n }]);
    await expect(pipeline.query({ sql: silver, lake: true, version: 7 })).rejects.toThrow("7");
    const denied = pipeline.query({ sql: "delete from gold.daily_sales_summary" });
    await expect(denied).rejects.toThrow(/permission denied|read-only transaction/);
  });

  it("accepts orders from `pizza produce`, which does not wait for gold by default", async () => {
    const recordsOf = () => cloud.stream.shards().reduce((sum, { records }) => sum + records, 0);
    const [before, executions] = [recordsOf(), cloud.machines.executions.size];
    expect(await json("produce", "--from", "2026-01-05", "--orders", "30")).toMatchObject({ events: 30 });
    expect(recordsOf()).toBeGreaterThan(before);
    expect(cloud.machines.executions.size).toBe(executions);
  });

  it("lists rejected events and receives the correction through its stream", async () => {
    // The days are reported a minute after the last event of the replay above.
    cloud.time.laterMs = 61_000;
    const [line] = order().lines;
    const wrong = order({ order_id: "remote-wrong", lines: [{ ...line, pizza_id: "hawaian_m" }] });
    await pipeline.sink.putRecords([{ partitionKey: "till", data: Buffer.from(JSON.stringify(wrong)) }]);
    await cloud.land();
    await pipeline.drain();
    expect(await json("quarantine", "list", "--lake-sql", "duckdb")).toMatchObject([
      { orderId: "remote-wrong", reason: "unknown_pizza", cents: 1325, isClosed: false },
    ]);
    const rule = "lines[*].pizza_id=hawaian_m->hawaiian_m";
    expect(await json("quarantine", "resend", "--reason", "unknown_pizza", rule)).toMatchObject({ sent: 1 });
    await cloud.land();
    await pipeline.drain();
    expect(await json("trace", "remote-wrong", "--lake-sql", "duckdb")).toMatchObject([
      {
        events: [{ outcome: "quarantined" }, { outcome: "accepted", corrects: expect.stringMatching(/^shardId-/) }],
        silver: { revision: 0 },
        window: { silverVersion: 2 },
      },
    ]);
    expect((await pipeline.trace({ orderId: "remote-wrong" }))[0]!.gold.length).toBeGreaterThan(9);
    expect(await pipeline.quarantined()).toMatchObject([
      { orderId: "remote-wrong", isClosed: true, silverRevision: 0 },
    ]);
    expect(await pipeline.verify()).toMatchObject({
      findings: [],
      events: { quarantined: { unknown_pizza: 1 }, closed: 1 },
    });
  });

  it("explains a number by its order lines, and lists what changed after it was reported", async () => {
    const found = await pipeline.explain({ table: "daily_sales_summary", key: ["2015-01-01"], lines: 5 });
    expect(found.cells.filter(({ equal }) => !equal)).toEqual([]);
    expect(found).toMatchObject({ lineCount: 41, lines: { length: 5 } });
    expect(await json("explain", "hourly_trends", "2015-01-01", "11", "orders", "--lake-sql", "duckdb")).toMatchObject({
      cells: [{ column: "orders", gold: "41", explained: "41", equal: true }],
      lineCount: 41,
    });
    const corrected = await pipeline.corrections({ since: new Date(0).toISOString() });
    expect(corrected.orders).toMatchObject([{ order_id: "remote-wrong", why: "late", reported_cents: 0, cents: 1325 }]);
    const isDay = ({ table_name, column_name }: { table_name: string; column_name: string }) =>
      table_name === "gold.daily_sales_summary" && column_name === "revenue";
    expect(corrected.values.find(isDay)).toMatchObject({
      key: { order_date: "2015-01-01" },
      first_reported: "530.00",
      now_known: "543.25",
      change: "13.25",
    });
    expect((await json("corrections", "--since", "7d")).values).toHaveLength(corrected.values.length);
  });

  it("forgets a customer, and reports what the stream still holds", async () => {
    const customer = { customer_id: "c-ada", name: "Ada Lovelace" };
    const theirs = order({ order_id: "remote-ada", customer });
    await pipeline.sink.putRecords([{ partitionKey: "till", data: Buffer.from(JSON.stringify(theirs)) }]);
    await cloud.land();
    await pipeline.drain();
    const keyOf = async () =>
      (
        await pipeline.query({
          sql: "select customer_key from silver_order_lines where order_id = 'remote-ada'",
          lake: true,
        })
      )[0];
    const before = await keyOf();
    expect(await json("forget", "c-ada", "--yes")).toMatchObject({
      events: 1,
      orders: 1,
      bronzeObjects: 1,
      streamRecords: 0,
      streamKeeps: 1,
    });
    expect(await keyOf()).not.toEqual(before);
    const bodies = await Promise.all((await cloud.store.list("bronze/")).map(({ key }) => cloud.store.get(key)));
    for (const body of bodies) {
      for (const { data } of await decodeBronze(body!)) expect(Buffer.from(data).toString()).not.toContain("Lovelace");
    }
    expect(await pipeline.verify()).toMatchObject({ findings: [], unpublishedDays: [] });
  });

  it("runs a workflow to completion under a unique execution name", async () => {
    const { output, workflow } = await pipeline.run({ workflow: "silver_to_gold" });
    expect({ workflow, published: output.published }).toEqual({ workflow: "silver_to_gold", published: [] });
    const names = [...cloud.machines.executions.values()].map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it("makes a backup, and restores it only into an empty warehouse", async () => {
    const hash = async () => JSON.stringify(await pipeline.query({ sql: "select * from ops.gold_hash()" }));
    const before = await hash();
    const made = await json("backup");
    expect(made).toMatchObject({ proven: true, snapshot: null });
    expect(await json("backup", "--list")).toMatchObject([{ id: made.id, isProven: true }]);
    const rejected = await aws("restore");
    expect(rejected).toMatchObject({ code: 1, stderr: expect.stringContaining("the warehouse is not empty") });
    await cloud.emptyGold();
    expect(await json("restore")).toMatchObject({ id: made.id, goldHash: made.goldHash });
    expect(await hash()).toBe(before);
    expect((await aws("restore", "--from", "x")).code).toBe(2);
  });

  it("rebuilds days from bronze, and repairs manual changes in gold", async () => {
    const days = ["--from", "2015-01-01", "--to", "2015-12-31"];
    expect(await json("rebuild", ...days)).toMatchObject({ equal: true, published: false, days: 1 });
    await cloud.owner.query(
      "update gold.daily_sales_summary set revenue = revenue + 1 where order_date = '2015-01-01'",
    );
    const compared = await aws("rebuild", "--gold", "--dry-run", ...days);
    expect(compared).toMatchObject({ code: 3, stdout: expect.stringContaining("changed outside") });
    expect(await json("rebuild", "--lake-sql", "duckdb", ...days)).toMatchObject({
      equal: false,
      published: true,
    });
    expect(await json("rebuild", ...days)).toMatchObject({ equal: true });
    expect((await aws("rebuild", "--from", "yesterday")).code).toBe(2);
  });

  it("names the state and the cause of a failed execution, and links to it", async () => {
    const { code, stderr } = await aws("run", "data_quality");
    expect(code).toBe(1);
    expect(stderr).toContain(
      'workflow data_quality: FAILED in the state "Verify receipt": Error: the books are in the wash',
    );
    expect(stderr).toContain(
      "https://eu-central-1.console.aws.amazon.com/states/home?region=eu-central-1#/v2/executions/",
    );
    const { workflows } = await pipeline.status();
    expect(workflows).toContainEqual(expect.objectContaining({ error: expect.stringContaining("in the wash") }));
  });

  it("prints credentials that a tool accepts unchanged, and explains where the server is reachable from", async () => {
    const { stdout, stderr } = await aws("credentials");
    expect(stdout).toContain(
      "psql 'postgresql://pizza_reader:a%2Fb%20c@gold.cluster.internal:5432/pizza_sales?sslmode=require'",
    );
    expect(stdout).toContain("password  a/b c");
    expect(stderr).toContain("isolated subnets");
  });
});

describe("the doctor", () => {
  it("finds no problem in a deployed pipeline, and names missing migrations", async () => {
    const { deploymentChecks } = await import("../../../targets/aws/check-deployment.ts");
    const found = await Promise.all(deploymentChecks("dev").map(({ run }) => run()));
    expect(found).toEqual([
      "PizzaSales-dev-Stateful UPDATE_COMPLETE, PizzaSales-dev-Stateless UPDATE_COMPLETE",
      "orders-dev, 2 open shards",
      "Enabled; OK",
      expect.stringMatching(/^lake, silver at version \d+$/),
      "lake creates each object once",
      expect.stringMatching(/^reachable, at migration \d+$/),
    ]);
    await cloud.owner.query("update ops.migrations set name = 'other' where name like '000003%'");
    const warehouse = deploymentChecks("dev").find(({ name }) => name === "warehouse")!;
    await expect(warehouse.run()).rejects.toThrow(
      "migrations missing: 000003_gold_by_day.sql: apply them with make deploy ENV=dev",
    );
    await cloud.owner.query("update ops.migrations set name = '000003_gold_by_day.sql' where name = 'other'");
  });
});

describe("log lines", () => {
  it("come from the functions' log groups, in chronological order", async () => {
    const now = Date.now();
    cloud.logs.push(
      { logGroupName: "/aws/lambda/dev-refine", timestamp: now - 1000, message: "second\n" },
      { logGroupName: cloud.logGroup, timestamp: now - 2000, message: "first" },
      { logGroupName: cloud.logGroup, timestamp: now - 3 * 86_400_000, message: "days ago" },
    );
    const all = await pipeline.logs.newest({ lines: 50 });
    expect(all.map(({ text }) => text)).toEqual(["days ago", "first", "second"]);
    expect(await json("logs", "--function", "RefineSilver", "--lines", "1")).toEqual([
      { at: new Date(now - 1000).toISOString(), function: "RefineSilver", text: "second" },
    ]);
    const unknown = pipeline.logs.newest({ lines: 1, only: "Nobody" });
    await expect(unknown).rejects.toThrow("function Nobody is unknown: choose one of LandRecords, RefineSilver");
  });

  it("are followed without gaps or duplicates", async () => {
    const stop = new AbortController();
    const since = Date.now();
    const seen: string[] = [];
    setTimeout(() => cloud.logs.push({ logGroupName: cloud.logGroup, timestamp: Date.now(), message: "new" }), 500);
    setTimeout(
      () => cloud.logs.push({ logGroupName: cloud.logGroup, timestamp: Date.now() - 400, message: "late" }),
      2600,
    );
    for await (const { text } of pipeline.logs.follow({ since, only: "LandRecords", signal: stop.signal })) {
      seen.push(text);
      if (text === "late") setTimeout(() => stop.abort(), 2500);
    }
    expect(seen).toEqual(["new", "late"]);
  });
});

describe("an error of a deployed pipeline", () => {
  const find = async (environment = "dev", config: CloudFormationClientConfig = {}) => {
    const { findDeployment } = await import("../../../targets/aws/deployment.ts");
    return await findDeployment(environment, new CloudFormationClient({ maxAttempts: 1, ...config }));
  };

  it("names a missing stack and how to deploy it", async () => {
    await expect(find("prod")).rejects.toThrow(
      /stack PizzaSales-prod-State\w+ does not exist in eu-central-1: .* run make deploy ENV=prod/,
    );
  });

  it("is not raised for a stack with a DATABASE_URL, whose host, port and database are read from it", async () => {
    cloud.outputs.stateful["DatabaseUrl"] = "postgresql://owner:secret@127.0.0.1:55433/pizza_sales";
    try {
      const address = { databaseHost: "127.0.0.1", databasePort: 55_433, databaseName: "pizza_sales" };
      expect(await find("dev")).toMatchObject(address);
    } finally {
      delete cloud.outputs.stateful["DatabaseUrl"];
    }
  });

  it("names the output that an incomplete stack lacks", async () => {
    const kept = cloud.outputs.stateful["StreamName"]!;
    delete cloud.outputs.stateful["StreamName"];
    const found = find();
    await expect(found).rejects.toThrow("no stack output StreamName (PizzaSales-dev-Stateful is UPDATE_COMPLETE");
    cloud.outputs.stateful["StreamName"] = kept;
  });

  it("reports missing credentials", async () => {
    const nobody = { AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "", AWS_EC2_METADATA_DISABLED: "true" };
    const files = { AWS_CONFIG_FILE: "/nowhere", AWS_SHARED_CREDENTIALS_FILE: "/nowhere" };
    const found = await pizza(["status", "--target", "aws"], { ...nobody, ...files });
    expect(found).toMatchObject({ code: 1, stderr: expect.stringContaining("no AWS credentials: sign in") });
  });

  it("reports a missing region, or a region without an endpoint", async () => {
    const noRegion = { region: () => Promise.reject(new Error("Region is missing")) };
    await expect(find("dev", noRegion)).rejects.toThrow("set AWS_REGION");
    const nowhere = { endpoint: "http://127.0.0.1:1" };
    await expect(find("dev", nowhere)).rejects.toThrow("AWS does not answer (ECONNREFUSED)");
  });

  it("reports expired credentials", async () => {
    const kept = cloud.answers["DescribeStacks"]!;
    cloud.answers["DescribeStacks"] = () => {
      throw new AwsFault("ExpiredToken", { status: 403 });
    };
    await expect(find()).rejects.toThrow("AWS rejects the credentials (ExpiredToken): sign in again");
    cloud.answers["DescribeStacks"] = kept;
  });
});
