import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CloudFormationClient, DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { cdk } from "./cdk.ts";
import { clientEnvironment, clientSettings } from "./environment.ts";
import { unknownTypes } from "./known-types.ts";
import { checkLoopback } from "./loopback.ts";
import { makeFolders } from "./own-folder.ts";
import type { LocalStackHome } from "./paths.ts";
import type { Target } from "./reach.ts";
import { rememberDeployed } from "./state.ts";

/** Where the pipeline was deployed to, and what the stacks say of themselves. */
export interface Deployed {
  endpoint: string;
  outputs: Record<string, string>;
  seconds: number;
}

const stacks = ["PizzaSales-localstack-Stateful", "PizzaSales-localstack-Stateless"];

/**
 * Deploys both stacks with cdk, bootstrap included, and migrates the warehouse; to an address of this machine only. A second
 * time it changes what differs.
 */
export async function deploy(
  home: LocalStackHome,
  { target, say }: { target: Target; say: (line: string) => void },
): Promise<Deployed> {
  const started = performance.now();
  const { endpoint, functionsDatabaseUrl: databaseUrl } = target;
  checkLoopback(endpoint);
  makeFolders(home);
  // Before anything is there: what fails half-way is found by pizza doctor too.
  rememberDeployed(home, target);
  const environment = clientEnvironment(endpoint);
  const out = join(home.temporary, "cdk.out");
  const run = (args: string[]) => cdk(args, { home, environment });
  say("making the templates");
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
    throw new Error(`stack ${stacks[1]} has no function ${name} in its output Functions: see lib/`);
  return found;
}

function checkTypes(out: string): void {
  for (const file of readdirSync(out).filter((name) => name.endsWith(".template.json"))) {
    const types = unknownTypes(JSON.parse(readFileSync(join(out, file), "utf8")) as Parameters<typeof unknownTypes>[0]);
    if (types.length === 0) continue;
    throw new Error(
      `${file} has ${types.join(", ")}, which LocalStack may leave out in silence: leave it out of the environment ` +
        `localstack, or add it to localstack/known-types.ts once it was seen to work`,
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
      const answer = Buffer.from(Payload ?? []).toString();
      if (FunctionError)
        throw new Error(`function ${FunctionName} failed: see its log in LocalStack; it says ${answer}`);
    },
  };
}
