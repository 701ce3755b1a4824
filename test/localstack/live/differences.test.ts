import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { createStack, endpoint, functionOf, powerlessRole, settings } from "./emulator.ts";

const s3 = new S3Client({ ...settings, forcePathStyle: true });
const lambda = new LambdaClient(settings);

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

  test("a resource of an unknown type is made in name only", async () => {
    const { status, outputs } = await create(
      { Cluster: { Type: "AWS::RDS::DBCluster", Properties: { Engine: "aurora-postgresql" } } },
      { Arn: { "Fn::GetAtt": ["Cluster", "DBClusterArn"] } },
    );
    expect(status).toBe("CREATE_COMPLETE");
    expect(outputs["Arn"]).toBe("unknown");
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
});
