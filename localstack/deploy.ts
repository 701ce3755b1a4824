import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { CloudFormationClient, DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { openSecrets } from "../adapters/secrets.ts";
import { projectRoot, rememberDeployed, type LocalStackDirectory } from "../targets/localstack-directory.ts";
import { makeFolders } from "./data-folder.ts";
import { clientEnvironment, clientSettings } from "./environment.ts";
import { checkLoopback } from "./health.ts";
import type { LocalStackTarget } from "./resolve-target.ts";

/** Result of a deployment: address and stack outputs. */
export interface Deployed {
  endpoint: string;
  outputs: Record<string, string>;
  seconds: number;
}

const stacks = ["PizzaSales-localstack-Stateful", "PizzaSales-localstack-Stateless"];

/**
 * Deploys both stacks with cdk, including bootstrap, and migrates the warehouse; only to a loopback address. Later
 * deployments update the stacks.
 */
export async function deploy(
  directory: LocalStackDirectory,
  { target, say }: { target: LocalStackTarget; say: (line: string) => void },
): Promise<Deployed> {
  const started = performance.now();
  const { endpoint, functionsDatabaseUrl: databaseUrl } = target;
  checkLoopback(endpoint);
  makeFolders(directory);
  // Stored first, so that ./pizza doctor also finds a deployment that failed half-way.
  rememberDeployed(directory, target);
  const environment = clientEnvironment(endpoint);
  const out = join(directory.temporary, "cdk.out");
  const run = (args: string[]) => cdk(args, { directory, environment });
  say("synthesising the templates");
  await run(["synth", "--quiet", "--output", out, "-c", "env=localstack", "-c", `databaseUrl=${databaseUrl}`]);
  checkTypes(out);
  const clients = openClients(endpoint);
  if (!(await clients.hasStack("CDKToolkit"))) {
    say("preparing LocalStack for cdk");
    await run(["bootstrap", "aws://000000000000/us-east-1", "--app", out]);
  }
  say("deploying both stacks");
  await run([
    "deploy",
    "--all",
    "--app",
    out,
    "--require-approval",
    "never",
    "--method",
    "direct",
    "--progress",
    "events",
  ]);
  const outputs = await clients.outputs();
  say("migrating the warehouse");
  await clients.call(functionName(outputs, "MigrateWarehouse"));
  return { endpoint, outputs, seconds: Math.round((performance.now() - started) / 1000) };
}

function functionName(outputs: Record<string, string>, name: string): string {
  const names = JSON.parse(outputs["Functions"] ?? "{}") as Record<string, string>;
  const found = names[name];
  if (found === undefined)
    throw new Error(`stack ${stacks[1]} has no function ${name} in its output Functions: check lib/`);
  return found;
}

function checkTypes(out: string): void {
  for (const file of readdirSync(out).filter((name) => name.endsWith(".template.json"))) {
    const types = unsupportedTypes(
      JSON.parse(readFileSync(join(out, file), "utf8")) as Parameters<typeof unsupportedTypes>[0],
    );
    if (types.length === 0) continue;
    throw new Error(
      `${file} has ${types.join(", ")}, which LocalStack may skip silently: remove it from the environment localstack, ` +
        "or add it to localstack/deploy.ts after testing that it works",
    );
  }
}

function openClients(endpoint: string) {
  const settings = clientSettings(endpoint);
  const [formation, lambda] = [new CloudFormationClient(settings), new LambdaClient(settings)];
  const find = async (name: string) =>
    (await formation.send(new DescribeStacksCommand({ StackName: name }))).Stacks?.[0];
  return {
    async hasStack(name: string): Promise<boolean> {
      const stack = await find(name).catch((error: Error) => {
        if (error.name === "ValidationError") return undefined;
        throw error;
      });
      return stack?.StackStatus?.endsWith("_COMPLETE") ?? false;
    },
    async outputs(): Promise<Record<string, string>> {
      const found = await Promise.all(stacks.map(find));
      const all = found.flatMap((stack) => stack?.Outputs ?? []);
      return Object.fromEntries(all.map(({ OutputKey = "", OutputValue = "" }) => [OutputKey, OutputValue]));
    },
    async call(FunctionName: string): Promise<void> {
      const { FunctionError, Payload } = await lambda.send(new InvokeCommand({ FunctionName, Payload: "{}" }));
      const response = Buffer.from(Payload ?? []).toString();
      if (FunctionError) throw new Error(`function ${FunctionName} failed (${response}): see its log in LocalStack`);
    },
  };
}

/** The deployment's customer secret, with which a local pipeline derives the same customer keys. */
export async function readCustomerSecret(arn: string): Promise<string> {
  const { key } = await openSecrets().read(arn);
  if (!key) throw new Error(`secret ${arn} has no field key: deploy again`);
  return key;
}

/**
 * Runs a cdk command in the project folder, with all its files below the data folder. It inherits none of the caller's
 * AWS_ variables, only those in `environment`. Throws with the end of cdk's log if it fails.
 */
async function cdk(
  args: string[],
  { directory, environment }: { directory: LocalStackDirectory; environment: Record<string, string> },
): Promise<void> {
  const program = createRequire(import.meta.url).resolve("aws-cdk/bin/cdk");
  const path = join(directory.logs, "cdk.log");
  const log = openSync(path, "a");
  const from = statSync(path).size;
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("AWS_"));
  const child = spawn(process.execPath, [program, ...args, "--no-notices", "--ci"], {
    cwd: projectRoot,
    stdio: ["ignore", log, log],
    env: {
      ...Object.fromEntries(inherited),
      ...environment,
      // cdk starts the app through PATH.
      PATH: [dirname(process.execPath), process.env["PATH"] ?? ""].join(":"),
      TMPDIR: directory.temporary,
      // Folder of the caches of cdk and the app.
      HOME: directory.files,
      CDK_DISABLE_CLI_TELEMETRY: "true",
      NO_COLOR: "1",
    },
  });
  closeSync(log);
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  if (code === 0) return;
  const lines = readFileSync(path).subarray(from).toString().trim().split("\n").slice(-25).join("\n");
  throw new Error(`cdk ${args[0]} failed (${code ?? signal}); its log ${path} ends with:\n${lines}`);
}

/** Resource types tested to work on LocalStack 4.14, which skips unsupported types silently. */
export const knownTypes: readonly string[] = [
  "AWS::Events::Rule",
  "AWS::IAM::ManagedPolicy",
  "AWS::IAM::Role",
  "AWS::KMS::Key",
  "AWS::Kinesis::Stream",
  "AWS::Lambda::EventInvokeConfig",
  "AWS::Lambda::EventSourceMapping",
  "AWS::Lambda::Function",
  "AWS::Lambda::Permission",
  "AWS::Lambda::Version",
  "AWS::Logs::LogGroup",
  "AWS::S3::Bucket",
  "AWS::S3::BucketPolicy",
  "AWS::SNS::Topic",
  "AWS::SNS::TopicPolicy",
  "AWS::SQS::Queue",
  "AWS::SQS::QueuePolicy",
  "AWS::Scheduler::Schedule",
  "AWS::SecretsManager::Secret",
  "AWS::StepFunctions::StateMachine",
];

/** CDK's helper resources, which only LocalStack's paid editions support and the deployment does not need. */
export const passedOver: readonly string[] = [
  // Empties a bucket before it is deleted; a stop of LocalStack does that.
  "Custom::S3AutoDeleteObjects",
  // Migrates the warehouse; `deploy` calls the function itself.
  "Custom::Trigger",
];

/** Resource types of a template that LocalStack may skip silently. */
export function unsupportedTypes(template: { Resources?: Record<string, { Type: string }> }): string[] {
  const types = new Set(Object.values(template.Resources ?? {}).map(({ Type }) => Type));
  return [...types].filter((type) => !knownTypes.includes(type) && !passedOver.includes(type)).toSorted();
}
