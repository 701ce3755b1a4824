import { KinesisClient, PutRecordsCommand } from "@aws-sdk/client-kinesis";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from "@aws-sdk/client-sfn";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createStack, endpoint, eventually, functionOf, powerlessRole, settings } from "./emulator.ts";

const s3 = new S3Client({ ...settings, forcePathStyle: true });
const lambda = new LambdaClient(settings);
const kinesis = new KinesisClient({ ...settings, requestHandler: new NodeHttpHandler() });
const sfn = new SFNClient(settings);

const land = `exports.handler = async ({ Records }) => {
  const texts = Records.map(({ kinesis }) => Buffer.from(kinesis.data, "base64").toString());
  if (texts.includes("poison")) throw new Error("poison");
  await put(process.env.BUCKET, "landed/" + Records[0].kinesis.sequenceNumber, JSON.stringify(texts));
};`;
const answer = `exports.handler = async (event) => { if (event.fail) throw new RangeError("as told"); return { twice: event.n * 2 }; };`;

describe.skipIf(endpoint === undefined)("LocalStack", () => {
  let stack: Awaited<ReturnType<typeof createStack>>;
  const named = (name: string) => stack.outputs[name]!;

  beforeAll(async () => {
    stack = await createStack(
      {
        Role: powerlessRole,
        Bucket: { Type: "AWS::S3::Bucket" },
        Failed: { Type: "AWS::S3::Bucket" },
        Stream: { Type: "AWS::Kinesis::Stream", Properties: { ShardCount: 1 } },
        Land: functionOf(land, { Environment: { Variables: { BUCKET: { Ref: "Bucket" } } } }),
        Answer: functionOf(answer),
        Mapping: {
          Type: "AWS::Lambda::EventSourceMapping",
          Properties: {
            EventSourceArn: { "Fn::GetAtt": ["Stream", "Arn"] },
            FunctionName: { Ref: "Land" },
            StartingPosition: "TRIM_HORIZON",
            BatchSize: 100,
            MaximumBatchingWindowInSeconds: 1,
            MaximumRetryAttempts: 1,
            BisectBatchOnFunctionError: true,
            DestinationConfig: { OnFailure: { Destination: { "Fn::GetAtt": ["Failed", "Arn"] } } },
          },
        },
        Machine: {
          Type: "AWS::StepFunctions::StateMachine",
          Properties: {
            RoleArn: { "Fn::GetAtt": ["Role", "Arn"] },
            DefinitionString: {
              "Fn::Sub": JSON.stringify({
                StartAt: "Call",
                States: {
                  Call: {
                    Type: "Task",
                    Resource: "arn:aws:states:::lambda:invoke",
                    Parameters: { FunctionName: "${Answer.Arn}", "Payload.$": "$" },
                    OutputPath: "$.Payload",
                    End: true,
                  },
                },
              }),
            },
          },
        },
      },
      Object.fromEntries(["Bucket", "Failed", "Stream", "Answer", "Machine"].map((name) => [name, { Ref: name }])),
    );
    if (stack.status !== "CREATE_COMPLETE") throw new Error(`${stack.status}: ${stack.reason}`);
  });
  afterAll(async () => stack.remove());

  const keys = async (Bucket: string) =>
    ((await s3.send(new ListObjectsV2Command({ Bucket }))).Contents ?? []).map(({ Key = "" }) => Key);
  const read = async (Bucket: string, Key: string) =>
    (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body!.transformToString();
  const send = (texts: string[]) =>
    kinesis.send(
      new PutRecordsCommand({
        StreamName: named("Stream"),
        Records: texts.map((text) => ({ Data: Buffer.from(text), PartitionKey: "one" })),
      }),
    );
  const execute = async (input: object) => {
    const start = new StartExecutionCommand({ stateMachineArn: named("Machine"), input: JSON.stringify(input) });
    const { executionArn } = await sfn.send(start);
    return await eventually(async () => {
      const execution = await sfn.send(new DescribeExecutionCommand({ executionArn }));
      return execution.status === "RUNNING" ? undefined : execution;
    });
  };

  test("rejects a second put-if-absent of a key with 412, and keeps the first object", async () => {
    const write = (Body: string) =>
      s3.send(new PutObjectCommand({ Bucket: named("Bucket"), Key: "once", Body, IfNoneMatch: "*" }));
    await write("first");
    await expect(write("second")).rejects.toMatchObject({ $metadata: { httpStatusCode: 412 } });
    expect(await read(named("Bucket"), "once")).toBe("first");
  });

  test("lets exactly one of many put-if-absent writers win", async () => {
    const writers = Array.from({ length: 20 }, (_, i) =>
      s3.send(new PutObjectCommand({ Bucket: named("Bucket"), Key: "race", Body: `${i}`, IfNoneMatch: "*" })),
    );
    const outcomes = await Promise.allSettled(writers);
    const winners = outcomes.flatMap(({ status }, i) => (status === "fulfilled" ? [`${i}`] : []));
    expect(winners).toEqual([await read(named("Bucket"), "race")]);
  });

  test("returns a function's response, and its error with a name", async () => {
    const call = async (event: object) => {
      const { FunctionError, Payload } = await lambda.send(
        new InvokeCommand({ FunctionName: named("Answer"), Payload: JSON.stringify(event) }),
      );
      return { FunctionError, value: JSON.parse(Buffer.from(Payload!).toString()) as object };
    };
    expect(await call({ n: 21 })).toEqual({ FunctionError: undefined, value: { twice: 42 } });
    expect(await call({ fail: true })).toMatchObject({
      FunctionError: "Unhandled",
      value: { errorType: "RangeError", errorMessage: "as told" },
    });
  });

  test("runs a workflow that invokes a function, and fails with the name of its error", async () => {
    expect(await execute({ n: 4 })).toMatchObject({ status: "SUCCEEDED", output: '{"twice":8}' });
    expect(await execute({ fail: true })).toMatchObject({ status: "FAILED", error: "RangeError" });
  });

  test("delivers records to the function once and in order, and a failed batch to the on-failure bucket with its payload", async () => {
    const texts = Array.from({ length: 250 }, (_, i) => `record ${i}`);
    await send(texts);
    const landed = await eventually(async () => {
      const found = (await keys(named("Bucket"))).filter((key) => key.startsWith("landed/")).toSorted();
      const all = (await Promise.all(found.map((key) => read(named("Bucket"), key)))).flatMap(
        (text) => JSON.parse(text) as string[],
      );
      return all.length >= texts.length ? all : undefined;
    });
    expect(landed).toEqual(texts);
    await send(["before", "poison", "after"]);
    const key = await eventually(async () => (await keys(named("Failed")))[0]);
    const failed = JSON.parse(await read(named("Failed"), key)) as {
      payload: { Records: { kinesis: { data: string } }[] };
    };
    const contents = failed.payload.Records.map(({ kinesis: { data } }) => Buffer.from(data, "base64").toString());
    // LocalStack does not bisect: on AWS only the poison record would be here.
    expect(contents).toEqual(["before", "poison", "after"]);
  });
});
