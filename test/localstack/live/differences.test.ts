import { AthenaClient, ListWorkGroupsCommand } from "@aws-sdk/client-athena";
import { KinesisClient, PutRecordCommand, SplitShardCommand } from "@aws-sdk/client-kinesis";
import { InvokeCommand, LambdaClient, UpdateEventSourceMappingCommand } from "@aws-sdk/client-lambda";
import { ExecuteStatementCommand, RDSDataClient } from "@aws-sdk/client-rds-data";
import { GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { RedriveExecutionCommand, SFNClient } from "@aws-sdk/client-sfn";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { createStack, endpoint, eventually, functionOf, powerlessRole, settings } from "./emulator.ts";

const s3 = new S3Client({ ...settings, forcePathStyle: true });
const lambda = new LambdaClient(settings);
const kinesis = new KinesisClient({ ...settings, requestHandler: new NodeHttpHandler() });

/** How LocalStack says that it lacks a service or an operation. */
const absent = /not (yet )?(been )?implemented|not included|not currently supported/i;

/** Each fails on the day that LocalStack behaves as AWS: then the row in localstack/README.md and its work-around can go. */
describe.skipIf(endpoint === undefined)("where LocalStack differs from AWS", () => {
  const made: Awaited<ReturnType<typeof createStack>>[] = [];
  afterEach(async () => {
    for (const stack of made.splice(0)) await stack.remove();
  });
  const create: typeof createStack = async (...args) => {
    const stack = await createStack(...args);
    made.push(stack);
    return stack;
  };

  test.each([
    ["AWS::RDS::DBCluster", { Engine: "aurora-postgresql" }],
    ["AWS::Glue::Database", { CatalogId: "000000000000", DatabaseInput: { Name: "lake" } }],
    ["AWS::Athena::WorkGroup", { Name: "questions" }],
    ["AWS::CloudWatch::Dashboard", { DashboardBody: "{}" }],
    ["AWS::Budgets::Budget", { Budget: { BudgetType: "COST", TimeUnit: "MONTHLY" } }],
  ])("%s is made in name only", async (Type, Properties) => {
    const { status, outputs } = await create({ Resource: { Type, Properties } }, { Name: { Ref: "Resource" } });
    expect(status).toBe("CREATE_COMPLETE");
    expect(outputs["Name"]).toBe("unknown");
  });

  test("the Data API and Athena do not answer", async () => {
    const statement = { resourceArn: "arn:aws:rds:us-east-1:000000000000:cluster:gold", sql: "select 1" };
    const secretArn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:login";
    const dataApi = new RDSDataClient({ ...settings, maxAttempts: 1 });
    await expect(dataApi.send(new ExecuteStatementCommand({ ...statement, secretArn }))).rejects.toThrow(absent);
    const athena = new AthenaClient({ ...settings, maxAttempts: 1 });
    await expect(athena.send(new ListWorkGroupsCommand({}))).rejects.toThrow(absent);
  });

  test("a failed execution cannot be redriven", async () => {
    const sfn = new SFNClient({ ...settings, maxAttempts: 1 });
    const executionArn = "arn:aws:states:us-east-1:000000000000:execution:machine:one";
    await expect(sfn.send(new RedriveExecutionCommand({ executionArn }))).rejects.toThrow(absent);
  });

  test("a custom resource's function is not called", async () => {
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

  test("a role's permissions are not asked for", async () => {
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

  test("a schedule never fires", async () => {
    const { status, outputs } = await create(
      {
        Role: powerlessRole,
        Bucket: { Type: "AWS::S3::Bucket" },
        Called: functionOf(`exports.handler = async () => put(process.env.BUCKET, "called", "");`, {
          Environment: { Variables: { BUCKET: { Ref: "Bucket" } } },
        }),
        Schedule: {
          Type: "AWS::Scheduler::Schedule",
          Properties: {
            ScheduleExpression: `at(${new Date(Date.now() + 3000).toISOString().slice(0, 19)})`,
            FlexibleTimeWindow: { Mode: "OFF" },
            Target: { Arn: { "Fn::GetAtt": ["Called", "Arn"] }, RoleArn: { "Fn::GetAtt": ["Role", "Arn"] } },
          },
        },
      },
      { Bucket: { Ref: "Bucket" } },
    );
    expect(status).toBe("CREATE_COMPLETE");
    await sleep(6000);
    expect((await s3.send(new ListObjectsV2Command({ Bucket: outputs["Bucket"] }))).KeyCount).toBe(0);
  });

  test("a function's folder for temporary files is not /tmp", async () => {
    const { outputs } = await create(
      { Role: powerlessRole, Where: functionOf(`exports.handler = async () => require("node:os").tmpdir();`) },
      { Where: { Ref: "Where" } },
    );
    expect(await call(outputs["Where"])).not.toBe("/tmp");
  });

  test("a function may take more memory than it has", async () => {
    const hungry = `exports.handler = async () => Buffer.alloc(400 * 1024 * 1024, 1).length;`;
    const { outputs } = await create(
      { Role: powerlessRole, Hungry: functionOf(hungry, { MemorySize: 128 }) },
      { Hungry: { Ref: "Hungry" } },
    );
    expect(await call(outputs["Hungry"])).toBe(400 * 1024 * 1024);
  });

  test("a mapping that was off for a moment reads the stream from its beginning again", async () => {
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

  test("the records of a shard that was split come again and again", async () => {
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
});

const land = `exports.handler = async ({ Records }) => {
  const texts = Records.map(({ kinesis }) => Buffer.from(kinesis.data, "base64").toString());
  await put(process.env.BUCKET, texts.join("-") + "/" + require("node:crypto").randomUUID(), "");
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

/** The text of each call, with a hyphen between records. */
async function landed(Bucket: string | undefined): Promise<string[]> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
  return Contents.map(({ Key = "" }) => Key.slice(0, Key.indexOf("/")));
}

async function call(FunctionName: string | undefined): Promise<unknown> {
  const { FunctionError, Payload } = await lambda.send(new InvokeCommand({ FunctionName }));
  const answer = JSON.parse(Buffer.from(Payload!).toString()) as unknown;
  return FunctionError === undefined ? answer : { FunctionError, answer };
}
