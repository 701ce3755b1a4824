import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { prepareDeployed } from "../../bin/with-target.ts";
import type { Values } from "../../bin/options.ts";
import { makeFolders } from "../../localstack/data-folder.ts";
import {
  localStackDirectory,
  findAddress,
  rememberDeployed,
  writeRunning,
} from "../../targets/localstack-directory.ts";
import { findDeployment } from "../../targets/aws/deployment.ts";
import { startJsonServer } from "../support/json-server.ts";
import { cloudFormation } from "./aws/cloud-formation.ts";

const variables = ["AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "DATABASE_URL"];
beforeEach(() => variables.forEach((name) => vi.stubEnv(name, undefined)));
afterEach(() => vi.unstubAllEnvs());

const values = { target: "localstack" } as Values;
const there = { endpoint: "http://127.0.0.1:4600", databaseUrl: "postgresql://here/pizza" };

test("the command line finds LocalStack and the warehouse at the addresses in its data folder", () => {
  const root = mkdtempSync(join(tmpdir(), "pizza-place-"));
  try {
    const pipeline = localStackDirectory(join(root, "home"));
    expect(findAddress(pipeline)).toBeUndefined();
    makeFolders(pipeline);
    rememberDeployed(pipeline, { ...there, endpoint: "http://127.0.0.1:4700" });
    expect(findAddress(pipeline)).toMatchObject({ endpoint: "http://127.0.0.1:4700" });
    writeRunning(pipeline, there);
    prepareDeployed(values, findAddress(pipeline));
    expect(process.env).toMatchObject({ AWS_ENDPOINT_URL: there.endpoint, DATABASE_URL: there.databaseUrl });
  } finally {
    rmSync(root, { recursive: true });
  }
});

test("a variable that is already set keeps its value, and another LocalStack's warehouse is not used", () => {
  vi.stubEnv("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
  prepareDeployed(values, there);
  expect(process.env["AWS_ENDPOINT_URL"]).toBe("http://127.0.0.1:1");
  expect(process.env["DATABASE_URL"]).toBeUndefined();
});

test("if LocalStack does not run, the error says how to start it", async () => {
  vi.stubEnv("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
  const client = clientOf("http://127.0.0.1:1");
  await expect(findDeployment("localstack", client)).rejects.toThrow(
    "LocalStack does not answer at http://127.0.0.1:1: start it with make start-localstack",
  );
});

test("if nothing is deployed to it, the error says how to deploy; DATABASE_URL takes precedence over the stack's output", async () => {
  const stacks: Record<string, Record<string, string>> = {};
  const server = await startJsonServer({ answers: { DescribeStacks: cloudFormation(stacks) } });
  try {
    vi.stubEnv("AWS_ENDPOINT_URL", server.url);
    const find = () => findDeployment("localstack", clientOf(server.url));
    await expect(find()).rejects.toThrow(
      `does not exist in the LocalStack at ${server.url}: run make deploy ENV=localstack`,
    );
    const outputs = ["LakeBucket", "OnFailureBucket", "StreamName", "CustomerKeySecretArn"].map((name) => [name, "x"]);
    stacks["PizzaSales-localstack-Stateful"] = Object.fromEntries(outputs);
    stacks["PizzaSales-localstack-Stateless"] = {
      DatabaseUrl: "postgresql://postgres/pizza",
      StateMachines: "{}",
      Functions: "{}",
    };
    expect(await find()).toMatchObject({ databaseHost: "postgres" });
    vi.stubEnv("DATABASE_URL", "postgresql://127.0.0.1:5432/pizza");
    expect(await find()).toMatchObject({
      databaseHost: "127.0.0.1",
      databaseUrl: "postgresql://127.0.0.1:5432/pizza",
    });
  } finally {
    await server.close();
  }
});

function clientOf(endpoint: string): CloudFormationClient {
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  return new CloudFormationClient({ endpoint, region: "us-east-1", credentials, maxAttempts: 1 });
}
