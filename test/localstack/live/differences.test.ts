import { AthenaClient, ListWorkGroupsCommand } from "@aws-sdk/client-athena";
import { KinesisClient, PutRecordCommand, SplitShardCommand } from "@aws-sdk/client-kinesis";
import { InvokeCommand, LambdaClient, UpdateEventSourceMappingCommand } from "@aws-sdk/client-lambda";
import { ExecuteStatementCommand, RDSDataClient } from "@aws-sdk/client-rds-data";
import { GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { RedriveExecutionCommand, SFNClient } from "@aws-sdk/client-sfn";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { setTimeout as sleep } from "node:timers/promises";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { localStackDirectory } from "../../../targets/localstack-directory.ts";
import { createStack, endpoint, eventually, functionOf, powerlessRole, settings } from "./emulator.ts";

const s3 = new S3Client({ ...settings, forcePathStyle: true });
const lambda = new LambdaClient(settings);
const kinesis = new KinesisClient({ ...settings, requestHandler: new NodeHttpHandler() });

/** EventBridge Scheduler starts a target within a minute of its time; this allows some more. */
const schedulerPrecisionMs = 75_000;

/** LocalStack's error messages for a service or operation that it lacks. */
const absent = /not (yet )?(been )?implemented|not included|not currently supported/i;

/** Each test fails once LocalStack behaves like AWS: then delete the row in localstack/README.md and its workaround. */
describe.skipIf(endpoint === undefined)("unlike AWS, LocalStack", () => {
  const made: Awaited<ReturnType<typeof createStack>>[] = [];
  const dueAt = Date.now() + 10_000;
  let scheduled: Awaited<ReturnType<typeof createStack>>;
  beforeAll(async () => {
    scheduled = await createStack(
      {
        Role: powerlessRole,
        Bucket: { Type: "AWS::S3::Bucket" },
        Called: functionOf(`exports.handler = async () => put(process.env.BUCKET, "called", "");`, {
          Environment: { Variables: { BUCKET: { Ref: "Bucket" } } },
        }),
        Schedule: {
          Type: "AWS::Scheduler::Schedule",
          Properties: {
            ScheduleExpression: `at(${new Date(dueAt).toISOString().slice(0, 19)})`,
            FlexibleTimeWindow: { Mode: "OFF" },
            Target: { Arn: { "Fn::GetAtt": ["Called", "Arn"] }, RoleArn: { "Fn::GetAtt": ["Role", "Arn"] } },
          },
        },
      },
      { Bucket: { Ref: "Bucket" } },
    );
  });
  afterAll(async () => scheduled.remove());
  afterEach(async () => {
    for (const stack of made.splice(0)) await stack.remove();
  });
  const create: typeof createStack = async (...args) => {
    const stack = await createStack(...args);
    made.push(stack);
    return stack;
  };

  test.each([
    ["AWS::RDS::DBCluster", "Endpoint.Address", { Engine: "aurora-postgresql" }],
    ["AWS::Glue::Database", "Id", { CatalogId: "000000000000", DatabaseInput: { Name: "lake" } }],
    ["AWS::Athena::WorkGroup", "CreationTime", { Name: "questions" }],
    ["AWS::CloudWatch::Dashboard", "Id", { DashboardBody: "{}" }],
    ["AWS::Budgets::Budget", "Id", { Budget: { BudgetType: "COST", TimeUnit: "MONTHLY" } }],
    ["AWS::MSK::Cluster", "Arn", { ClusterName: "orders", KafkaVersion: "3.6.0", NumberOfBrokerNodes: 2 }],
    ["AWS::Logs::MetricFilter", "Id", { FilterPattern: "", LogGroupName: "group", MetricTransformations: [] }],
  ])("creates %s in name only, with an unknown %s", async (Type, attribute, Properties) => {
    const { status, outputs } = await create(
      { Resource: { Type, Properties } },
      { Name: { Ref: "Resource" }, Attribute: { "Fn::GetAtt": ["Resource", attribute] } },
    );
    expect(status).toBe("CREATE_COMPLETE");
    expect(outputs).toEqual({ Name: "unknown", Attribute: "unknown" });
  });

  test("creates an alarm, but no metric from a function's embedded metric format", async () => {
    const measured = { Namespace: "Pizza", Dimensions: [[]], Metrics: [{ Name: "Slices" }] };
    const entry = { _aws: { Timestamp: 0, CloudWatchMetrics: [measured] }, Slices: 8 };
    const { status, outputs } = await create(
      {
        Role: powerlessRole,
        Measures: functionOf(
          `exports.handler = async () => { const entry = ${JSON.stringify(entry)}; entry._aws.Timestamp = Date.now(); console.log(JSON.stringify(entry)); };`,
        ),
        Alarm: {
          Type: "AWS::CloudWatch::Alarm",
          Properties: {
            Namespace: "Pizza",
            MetricName: "Slices",
            Statistic: "Sum",
            Period: 10,
            EvaluationPeriods: 1,
            Threshold: 0,
            ComparisonOperator: "GreaterThanThreshold",
          },
        },
      },
      { Alarm: { Ref: "Alarm" }, Measures: { Ref: "Measures" } },
    );
    expect(status).toBe("CREATE_COMPLETE");
    expect(outputs["Alarm"]).not.toBe("unknown");
    expect(await call(outputs["Measures"])).toBeNull();
    await sleep(10_000);
    expect(await metricNames("Pizza")).toEqual([]);
    // The same call does return LocalStack's own metrics.
    expect(await metricNames("AWS/Lambda")).toContain("Invocations");
  });

  test("processes one batch at a time per shard, whatever the parallelization factor", async () => {
    const { Mapping, Land, ...others } = followedStream;
    const { outputs } = await create(
      {
        ...others,
        Land: {
          ...Land,
          Properties: { ...Land.Properties, Code: functionOf(landSlowly).Properties.Code },
        },
        Mapping: { ...Mapping, Properties: { ...Mapping.Properties, BatchSize: 1, ParallelizationFactor: 10 } },
      },
      followedOutputs,
    );
    const texts = Array.from({ length: 6 }, (_, i) => `key ${i}`);
    for (const text of texts) {
      const Data = Buffer.from(text);
      await kinesis.send(new PutRecordCommand({ StreamName: outputs["Stream"], PartitionKey: text, Data }));
    }
    const spans = await eventually(async () => {
      const found = (await landed(outputs["Bucket"])).map((name) => name.split("-").map(Number));
      return found.length === texts.length ? found.toSorted(([a = 0], [b = 0]) => a - b) : undefined;
    });
    // On AWS, records with different keys are processed concurrently.
    const atOnce = spans.filter(([start = 0], i) => i > 0 && start < spans[i - 1]![1]!);
    expect(atOnce).toEqual([]);
  });

  test.skipIf(!existsSync("/proc"))("makes Kinesis listen on all interfaces, unless loopback-only is preloaded", () => {
    const folder = join(localStackDirectory().kinesis, "node_modules", "kinesis-local");
    const temporary = mkdtempSync(join(tmpdir(), "pizza-probe-"));
    // Prints the address and exits before listening.
    const probe = `require("node:net").Server.prototype.listen = (...args) => {
      require("node:fs").writeSync(1, "HOST " + (args.flatMap((arg) => arg?.host ?? (typeof arg === "string" ? arg : []))[0] ?? "any"));
      process.exit();
    };`;
    writeFileSync(join(temporary, "probe.cjs"), probe);
    const env = { KINESIS_MOCK_CERT_PATH: join(folder, "server.json") };
    const args = ["--require", join(temporary, "probe.cjs"), join(folder, "main.js")];
    const { stdout } = spawnSync(process.execPath, args, { env, encoding: "utf8" });
    rmSync(temporary, { recursive: true });
    expect(stdout).toMatch(/HOST (any|0\.0\.0\.0|::)$/);
  });

  test("does not implement the Data API and Athena", async () => {
    const statement = { resourceArn: "arn:aws:rds:us-east-1:000000000000:cluster:gold", sql: "select 1" };
    const secretArn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:login";
    const dataApi = new RDSDataClient({ ...settings, maxAttempts: 1 });
    await expect(dataApi.send(new ExecuteStatementCommand({ ...statement, secretArn }))).rejects.toThrow(absent);
    const athena = new AthenaClient({ ...settings, maxAttempts: 1 });
    await expect(athena.send(new ListWorkGroupsCommand({}))).rejects.toThrow(absent);
  });

  test("cannot redrive a failed execution", async () => {
    const sfn = new SFNClient({ ...settings, maxAttempts: 1 });
    const executionArn = "arn:aws:states:us-east-1:000000000000:execution:machine:one";
    await expect(sfn.send(new RedriveExecutionCommand({ executionArn }))).rejects.toThrow(absent);
  });

  test("does not invoke a custom resource's function", async () => {
    const { status, outputs } = await create(
      {
        Role: powerlessRole,
        Bucket: { Type: "AWS::S3::Bucket" },
        Called: functionOf(`exports.handler = async () => put(process.env.BUCKET, "called", "");`, {
          Environment: { Variables: { BUCKET: { Ref: "Bucket" } } },
        }),
        Custom: { Type: "Custom::Trigger", Properties: { ServiceToken: { "Fn::GetAtt": ["Called", "Arn"] } } },
      },
      { Bucket: { Ref: "Bucket" } },
    );
    expect(status).toBe("CREATE_COMPLETE");
    expect((await s3.send(new ListObjectsV2Command({ Bucket: outputs["Bucket"] }))).KeyCount).toBe(0);
  });

  test("does not check a role's permissions", async () => {
    const { outputs } = await create(
      {
        Role: powerlessRole,
        Bucket: { Type: "AWS::S3::Bucket" },
        Writer: functionOf(`exports.handler = async () => put(process.env.BUCKET, "written", "without leave");`, {
          Environment: { Variables: { BUCKET: { Ref: "Bucket" } } },
        }),
      },
      { Bucket: { Ref: "Bucket" }, Writer: { Ref: "Writer" } },
    );
    const { FunctionError } = await lambda.send(new InvokeCommand({ FunctionName: outputs["Writer"] }));
    expect(FunctionError).toBeUndefined();
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: outputs["Bucket"], Key: "written" }));
    expect(await Body!.transformToString()).toBe("without leave");
  });

  test("gives a function a temporary folder other than /tmp", async () => {
    const { outputs } = await create(
      { Role: powerlessRole, Where: functionOf(`exports.handler = async () => require("node:os").tmpdir();`) },
      { Where: { Ref: "Where" } },
    );
    expect(await call(outputs["Where"])).not.toBe("/tmp");
  });

  test("has no AWS SDK in the function runtime", async () => {
    const look = `exports.handler = async () => { try { return require.resolve("@aws-sdk/client-s3"); } catch ({ code }) { return code; } };`;
    const { outputs } = await create({ Role: powerlessRole, Looks: functionOf(look) }, { Looks: { Ref: "Looks" } });
    expect(await call(outputs["Looks"])).toBe("MODULE_NOT_FOUND");
  });

  test("does not enforce a function's memory limit", async () => {
    const hungry = `exports.handler = async () => Buffer.alloc(400 * 1024 * 1024, 1).length;`;
    const { outputs } = await create(
      { Role: powerlessRole, Hungry: functionOf(hungry, { MemorySize: 128 }) },
      { Hungry: { Ref: "Hungry" } },
    );
    expect(await call(outputs["Hungry"])).toBe(400 * 1024 * 1024);
  });

  test("restarts a mapping that was disabled at the beginning of the stream", async () => {
    const { outputs } = await create(followedStream, followedOutputs);
    await put(outputs["Stream"], "first");
    await eventually(async () => ((await landed(outputs["Bucket"])).length === 1 ? true : undefined));
    for (const Enabled of [false, true]) {
      await lambda.send(new UpdateEventSourceMappingCommand({ UUID: outputs["Mapping"], Enabled }));
      await sleep(3000);
    }
    const twice = await eventually(async () => {
      const texts = await landed(outputs["Bucket"]);
      return texts.length > 1 ? texts : undefined;
    });
    expect(twice).toEqual(["first", "first"]);
  });

  test("redelivers the records of a split shard repeatedly", async () => {
    const { outputs } = await create(followedStream, followedOutputs);
    const { Stream: StreamName } = outputs;
    await put(StreamName, "before");
    await eventually(async () => ((await landed(outputs["Bucket"])).length === 1 ? true : undefined));
    const ShardToSplit = "shardId-000000000000";
    await kinesis.send(new SplitShardCommand({ StreamName, ShardToSplit, NewStartingHashKey: String(2n ** 127n) }));
    const often = await eventually(async () => {
      const texts = await landed(outputs["Bucket"]);
      return texts.length > 2 ? texts : undefined;
    });
    expect(new Set(often)).toEqual(new Set(["before"]));
  });

  // Last, because its time passes while the others run.
  test(
    "never fires a schedule",
    async () => {
      expect(scheduled.status).toBe("CREATE_COMPLETE");
      await sleep(Math.max(0, dueAt + schedulerPrecisionMs - Date.now()));
      const { Bucket } = scheduled.outputs;
      expect((await s3.send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(0);
    },
    2 * schedulerPrecisionMs,
  );
});

const land = `exports.handler = async ({ Records }) => {
  const texts = Records.map(({ kinesis }) => Buffer.from(kinesis.data, "base64").toString());
  await put(process.env.BUCKET, texts.join("-") + "/" + require("node:crypto").randomUUID(), "");
};`;

/** Like `land`, with the start and end time of each call. */
const landSlowly = `exports.handler = async () => {
  const start = Date.now();
  await new Promise((resolve) => setTimeout(resolve, 400));
  await put(process.env.BUCKET, start + "-" + Date.now() + "/" + require("node:crypto").randomUUID(), "");
};`;

const followedStream = {
  Role: powerlessRole,
  Bucket: { Type: "AWS::S3::Bucket" },
  Stream: { Type: "AWS::Kinesis::Stream", Properties: { ShardCount: 1 } },
  Land: functionOf(land, {
    Environment: { Variables: { BUCKET: { Ref: "Bucket" } } },
  }),
  Mapping: {
    Type: "AWS::Lambda::EventSourceMapping",
    Properties: {
      EventSourceArn: { "Fn::GetAtt": ["Stream", "Arn"] },
      FunctionName: { Ref: "Land" },
      StartingPosition: "TRIM_HORIZON",
    },
  },
};
const followedOutputs = { Bucket: { Ref: "Bucket" }, Stream: { Ref: "Stream" }, Mapping: { Ref: "Mapping" } };

async function put(StreamName: string | undefined, text: string): Promise<void> {
  await kinesis.send(new PutRecordCommand({ StreamName, PartitionKey: "one", Data: Buffer.from(text) }));
}

/** The text of each call, with hyphens between records. */
async function landed(Bucket: string | undefined): Promise<string[]> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
  return Contents.map(({ Key = "" }) => Key.slice(0, Key.indexOf("/")));
}

/** The names of the metrics that CloudWatch lists. */
async function metricNames(namespace: string): Promise<string[]> {
  // Its client is not a dependency of this project; LocalStack does not check signatures.
  const authorization =
    "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/monitoring/aws4_request, SignedHeaders=host, Signature=0";
  const body = new URLSearchParams({ Action: "ListMetrics", Version: "2010-08-01", Namespace: namespace });
  const answer = await fetch(endpoint!, { method: "POST", headers: { authorization }, body });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`ListMetrics: ${answer.status} ${text}`);
  return Array.from(text.matchAll(/<MetricName>([^<]+)</g), ([, name]) => name!);
}

async function call(FunctionName: string | undefined): Promise<unknown> {
  const { FunctionError, Payload } = await lambda.send(new InvokeCommand({ FunctionName }));
  const answer = JSON.parse(Buffer.from(Payload!).toString()) as unknown;
  return FunctionError === undefined ? answer : { FunctionError, answer };
}
