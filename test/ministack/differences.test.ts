import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { DescribeStreamCommand, KinesisClient, PutRecordsCommand, SplitShardCommand } from "@aws-sdk/client-kinesis";
import {
  GetEventSourceMappingCommand,
  InvokeCommand,
  LambdaClient,
  UpdateEventSourceMappingCommand,
} from "@aws-sdk/client-lambda";
import { GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { createStack, eventually, functionOf, powerlessRole, settings } from "../localstack/live/emulator.ts";
import { isRunning } from "../../targets/local/machine.ts";
import { freePort } from "../support/free-port.ts";
import { installMiniStack, startMiniStack } from "./server.ts";

const s3 = new S3Client({ ...settings, forcePathStyle: true });
const lambda = new LambdaClient(settings);
const kinesis = new KinesisClient({ ...settings, requestHandler: new NodeHttpHandler() });

/** Records the texts of each call under a separate name, then runs `then` with them. */
const noting = (then: string) => `exports.handler = async ({ Records }) => {
  const texts = Records.map(({ kinesis }) => Buffer.from(kinesis.data, "base64").toString());
  await put(process.env.BUCKET, "call/" + Date.now() + "-" + Math.random(), JSON.stringify(texts));
  ${then}
};`;

/** Each test fails once MiniStack behaves like AWS: then delete the row in localstack/README.md. */
describe.skipIf(process.env["PIZZA_TEST_MINISTACK"] === undefined)("unlike AWS, MiniStack", () => {
  const made: Awaited<ReturnType<typeof createStack>>[] = [];
  afterEach(async () => {
    for (const stack of made.splice(0)) await stack.remove();
  });
  const create: typeof createStack = async (...args) => {
    const stack = await createStack(...args);
    made.push(stack);
    return stack;
  };

  /** A stream whose records are delivered to a function, with the function's calls and the failed batches. */
  async function createMapping(source: string, properties: object) {
    const { outputs, status, reason } = await create(
      {
        Role: powerlessRole,
        Bucket: { Type: "AWS::S3::Bucket" },
        Failed: { Type: "AWS::S3::Bucket" },
        Stream: { Type: "AWS::Kinesis::Stream", Properties: { ShardCount: 1 } },
        Called: functionOf(source, { Environment: { Variables: { BUCKET: { Ref: "Bucket" } } } }),
        Mapping: {
          Type: "AWS::Lambda::EventSourceMapping",
          Properties: {
            EventSourceArn: { "Fn::GetAtt": ["Stream", "Arn"] },
            FunctionName: { Ref: "Called" },
            StartingPosition: "TRIM_HORIZON",
            BatchSize: 100,
            DestinationConfig: { OnFailure: { Destination: { "Fn::GetAtt": ["Failed", "Arn"] } } },
            ...properties,
          },
        },
      },
      Object.fromEntries(["Bucket", "Failed", "Stream", "Mapping"].map((name) => [name, { Ref: name }])),
    );
    if (status !== "CREATE_COMPLETE") throw new Error(`${status}: ${reason}`);
    const keysOf = async (Bucket: string | undefined) =>
      ((await s3.send(new ListObjectsV2Command({ Bucket }))).Contents ?? []).map(({ Key = "" }) => Key).toSorted();
    const read = async (Key: string) => {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: outputs["Bucket"], Key }));
      return JSON.parse(await Body!.transformToString()) as string[];
    };
    return {
      mapping: outputs["Mapping"]!,
      stream: outputs["Stream"]!,
      send: (...texts: string[]) =>
        kinesis.send(
          new PutRecordsCommand({
            StreamName: outputs["Stream"],
            Records: texts.map((text) => ({ Data: Buffer.from(text), PartitionKey: text })),
          }),
        ),
      calls: async () => Promise.all((await keysOf(outputs["Bucket"])).map(read)),
      givenUp: () => keysOf(outputs["Failed"]),
    };
  }

  test("ignores the batching window", async () => {
    const { send, calls } = await createMapping(noting(""), { MaximumBatchingWindowInSeconds: 300 });
    await send("one");
    expect(await eventually(async () => ((await calls()).length > 0 ? calls() : undefined))).toEqual([["one"]]);
  });

  test("retries a failing batch without limit or bisecting it, and blocks the shard", async () => {
    const { send, calls, givenUp } = await createMapping(noting(`throw new Error("poison");`), {
      MaximumRetryAttempts: 1,
      BisectBatchOnFunctionError: true,
    });
    await send("before", "poison", "after");
    const batches = await eventually(async () => {
      const all = await calls();
      return all.length >= 6 ? all : undefined;
    });
    expect(new Set(batches.map((texts) => texts.join()))).toEqual(new Set(["before,poison,after"]));
    expect(await givenUp()).toEqual([]);
  });

  test("loses a record that is named in batchItemFailures", async () => {
    const fail = `return { batchItemFailures: texts.includes("unlucky") ? [{ itemIdentifier: Records[texts.indexOf("unlucky")].kinesis.sequenceNumber }] : [] };`;
    const { send, calls, givenUp } = await createMapping(noting(fail), {
      FunctionResponseTypes: ["ReportBatchItemFailures"],
    });
    await send("lucky", "unlucky");
    await eventually(async () => ((await calls()).length > 0 ? true : undefined));
    await send("last");
    const batches = await eventually(async () => {
      const all = await calls();
      return all.flat().includes("last") ? all : undefined;
    });
    expect(batches.flat()).toEqual(["lucky", "unlucky", "last"]);
    expect(await givenUp()).toEqual([]);
  });

  test("reports the number of delivered records as a mapping's result instead of OK", async () => {
    const { send, mapping } = await createMapping(noting(""), {});
    await send("one");
    const result = await eventually(async () => {
      const state = await lambda.send(new GetEventSourceMappingCommand({ UUID: mapping }));
      return state.LastProcessingResult?.startsWith("OK") ? state.LastProcessingResult : undefined;
    });
    expect(result).toBe("OK - 1 records");
  });

  test("loses the records that the children of a split shard have when they are first polled", async () => {
    const { mapping, stream, send, calls } = await createMapping(noting(""), {});
    await send("before");
    await eventually(async () => ((await calls()).length > 0 ? true : undefined));
    const switchMapping = async (Enabled: boolean) => {
      await lambda.send(new UpdateEventSourceMappingCommand({ UUID: mapping, Enabled }));
    };
    // Disabled, so that the children certainly have records when the mapping first polls them.
    await switchMapping(false);
    await kinesis.send(
      new SplitShardCommand({
        StreamName: stream,
        ShardToSplit: "shardId-000000000000",
        NewStartingHashKey: String(2n ** 127n),
      }),
    );
    await eventually(async () => {
      const { StreamDescription } = await kinesis.send(new DescribeStreamCommand({ StreamName: stream }));
      return StreamDescription?.StreamStatus === "ACTIVE" ? true : undefined;
    });
    const early = Array.from({ length: 8 }, (_, index) => `early ${index}`);
    const late = early.map((_, index) => `late ${index}`);
    await send(...early);
    await switchMapping(true);
    const texts = await eventually(async () => {
      await send(...late);
      const all = (await calls()).flat();
      return late.every((text) => all.includes(text)) ? all : undefined;
    });
    expect(new Set(texts)).toEqual(new Set(["before", ...late]));
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

  /** A separate MiniStack during one call of a function, which ends when `end` is called and then writes a file. */
  async function startBusy(InvocationType: "Event" | "RequestResponse") {
    const running = await startMiniStack(await installMiniStack(() => {}));
    const { endpoint, folder } = running;
    const [started, ended, outlived] = ["started", "ended", "outlived"].map((name) => join(folder, name));
    const work = `exports.handler = async () => {
      const { existsSync, writeFileSync } = require("node:fs");
      writeFileSync(${JSON.stringify(started)}, "");
      while (!existsSync(${JSON.stringify(ended)})) await new Promise((resolve) => setTimeout(resolve, 50));
      writeFileSync(${JSON.stringify(outlived)}, "");
    };`;
    const { outputs } = await createStack(
      { Role: powerlessRole, Busy: functionOf(work, { Timeout: 60 }) },
      { Busy: { Ref: "Busy" } },
      new CloudFormationClient({ ...settings, endpoint }),
    );
    const call = new InvokeCommand({ FunctionName: outputs["Busy"], InvocationType });
    const answered = new LambdaClient({ ...settings, endpoint, maxAttempts: 1 }).send(call).catch(() => undefined);
    if (InvocationType === "Event") await answered;
    await eventually(async () => existsSync(started!) || undefined);
    return {
      ...running,
      end: () => writeFileSync(ended!, ""),
      hasOutlived: () => existsSync(outlived!) || undefined,
      answered,
    };
  }

  test("leaves a running function behind when it is terminated", async () => {
    const busy = await startBusy("Event");
    const { pid, end, hasOutlived } = busy;
    try {
      process.kill(pid, "SIGTERM");
      await eventually(async () => !isRunning(pid) || undefined);
      end();
      expect(await eventually(async () => hasOutlived())).toBe(true);
    } finally {
      await busy.stop();
    }
  });

  test("does not exit while a call waits for its response", async () => {
    const busy = await startBusy("RequestResponse");
    const { pid, end, answered } = busy;
    try {
      process.kill(pid, "SIGTERM");
      await sleep(5000);
      expect(isRunning(pid)).toBe(true);
      end();
      await answered;
      await eventually(async () => !isRunning(pid) || undefined);
    } finally {
      await busy.stop();
    }
  });

  test("listens on all interfaces without BIND_HOST", async () => {
    const python = join(dirname(await installMiniStack(() => {})), "python");
    const folder = mkdtempSync(join(tmpdir(), "pizza-bind-"));
    // Prints the address without listening.
    const script = [
      "import hypercorn.asyncio, sys",
      "async def serve(app, config, **more): print('BIND', config.bind)",
      "hypercorn.asyncio.serve = serve",
      "from ministack.app import main",
      "sys.argv = ['ministack']",
      "main()",
    ].join("\n");
    const env = { PATH: process.env["PATH"], HOME: folder, TMPDIR: folder, GATEWAY_PORT: String(await freePort()) };
    const { stdout } = spawnSync(python, ["-c", script], { cwd: folder, env, encoding: "utf8" });
    rmSync(folder, { recursive: true });
    expect(stdout).toMatch(/^BIND \['0\.0\.0\.0:\d+'\]$/m);
  });

  test("has no AWS SDK in the function runtime", async () => {
    const look = `exports.handler = async () => { try { return require.resolve("@aws-sdk/client-s3"); } catch ({ code }) { return code; } };`;
    const { outputs } = await create({ Role: powerlessRole, Looks: functionOf(look) }, { Looks: { Ref: "Looks" } });
    const { Payload } = await lambda.send(new InvokeCommand({ FunctionName: outputs["Looks"] }));
    expect(JSON.parse(Buffer.from(Payload!).toString())).toBe("MODULE_NOT_FOUND");
  });

  test("loses the name of a function's error", async () => {
    const { outputs } = await create(
      {
        Role: powerlessRole,
        Failing: functionOf(`exports.handler = async () => { throw new RangeError("as told"); };`),
      },
      { Failing: { Ref: "Failing" } },
    );
    const { Payload } = await lambda.send(new InvokeCommand({ FunctionName: outputs["Failing"], Payload: "{}" }));
    expect(JSON.parse(Buffer.from(Payload!).toString())).toMatchObject({
      errorType: "Runtime.HandlerError",
      errorMessage: "as told",
    });
  });

  test("returns the name of a secret as its Ref instead of its ARN", async () => {
    const { outputs } = await create(
      { Secret: { Type: "AWS::SecretsManager::Secret", Properties: { SecretString: "s" } } },
      { Secret: { Ref: "Secret" } },
    );
    expect(outputs["Secret"]).not.toMatch(/^arn:/);
  });

  test.each([
    ["AWS::RDS::DBSubnetGroup", { DBSubnetGroupDescription: "two", SubnetIds: ["subnet-1", "subnet-2"] }],
    ["AWS::Logs::MetricFilter", { FilterPattern: "", LogGroupName: "group", MetricTransformations: [] }],
  ])("rejects %s", async (Type, Properties) => {
    expect((await create({ Thing: { Type, Properties } })).status).toBe("ROLLBACK_COMPLETE");
  });
});
