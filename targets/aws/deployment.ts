import { CloudFormationClient, DescribeStacksCommand, type Stack } from "@aws-sdk/client-cloudformation";
import { explained, isUnreachable } from "./explain-error.ts";

/** Outputs of an environment's stacks. Resources that the environment does not have are undefined. */
export interface Deployment {
  environment: string;
  region: string;
  /** Stack status, such as UPDATE_COMPLETE, by stack name. */
  stacks: Record<string, string>;
  lakeBucket: string;
  onFailureBucket: string;
  backupBucket?: string;
  streamName: string;
  customerKeySecretArn: string;
  glueDatabase?: string;
  athenaWorkgroup?: string;
  clusterArn?: string;
  databaseHost?: string;
  databasePort?: number;
  databaseName?: string;
  readerSecretArn?: string;
  writerSecretArn?: string;
  /** PostgreSQL connection string in an environment without Aurora; the variable DATABASE_URL overrides it. */
  databaseUrl?: string;
  landingMappingId?: string;
  dashboardUrl?: string;
  /** State machine ARN by workflow name. */
  stateMachines: Record<string, string>;
  /** Deployed function name by its name in the project. */
  functions: Record<string, string>;
}

/** Names of an environment's stacks. */
export function stackNames(environment: string): [stateful: string, stateless: string] {
  return [`PizzaSales-${environment}-Stateful`, `PizzaSales-${environment}-Stateless`];
}

/** Finds an environment by its stack names. Throws with advice if a stack, the region or a permission is missing. */
export async function findDeployment(environment: string, client = new CloudFormationClient({})): Promise<Deployment> {
  const region = await regionOf(client);
  const found = await Promise.all(
    stackNames(environment).map((name) => describe(client, { name, environment, region })),
  );
  const outputs = Object.assign({}, ...found.map(outputsOf)) as Record<string, string>;
  const wanted = (name: string): string => {
    const value = outputs[name];
    if (value !== undefined) return value;
    const states = found.map(({ StackName, StackStatus }) => `${StackName} is ${StackStatus}`).join(", ");
    throw new Error(
      `environment ${environment} has no stack output ${name} (${states}): repair the stacks, then ${again(environment)}`,
    );
  };
  const optional = <Key extends string>(key: Key, name: string) =>
    outputs[name] === undefined ? {} : ({ [key]: outputs[name] } as Record<Key, string>);
  return {
    environment,
    region,
    stacks: Object.fromEntries(found.map(({ StackName, StackStatus }) => [StackName, StackStatus])),
    lakeBucket: wanted("LakeBucket"),
    onFailureBucket: wanted("OnFailureBucket"),
    ...optional("backupBucket", "BackupBucket"),
    streamName: wanted("StreamName"),
    customerKeySecretArn: wanted("CustomerKeySecretArn"),
    ...optional("glueDatabase", "GlueDatabase"),
    ...optional("athenaWorkgroup", "AthenaWorkgroup"),
    ...optional("clusterArn", "ClusterArn"),
    ...optional("databaseHost", "DatabaseHost"),
    ...(outputs["DatabasePort"] !== undefined && { databasePort: Number(outputs["DatabasePort"]) }),
    ...optional("databaseName", "DatabaseName"),
    ...optional("readerSecretArn", "ReaderSecretArn"),
    ...optional("writerSecretArn", "WriterSecretArn"),
    ...(outputs["DatabaseUrl"] !== undefined && addressOf(process.env["DATABASE_URL"] ?? outputs["DatabaseUrl"])),
    ...optional("landingMappingId", "LandingMappingId"),
    ...optional("dashboardUrl", "DashboardUrl"),
    stateMachines: JSON.parse(wanted("StateMachines")) as Record<string, string>,
    functions: JSON.parse(wanted("Functions")) as Record<string, string>,
  };
}

function addressOf(databaseUrl: string) {
  const { hostname, port, pathname } = new URL(databaseUrl);
  return { databaseUrl, databaseHost: hostname, databasePort: Number(port || 5432), databaseName: pathname.slice(1) };
}

async function regionOf(client: CloudFormationClient): Promise<string> {
  try {
    return await client.config.region();
  } catch (cause) {
    throw new Error("AWS region is not set: set AWS_REGION to the region of the deployment, or AWS_PROFILE", {
      cause,
    });
  }
}

async function describe(
  client: CloudFormationClient,
  { name, environment, region }: { name: string; environment: string; region: string },
): Promise<Stack> {
  const emulator = environment === "localstack" ? process.env["AWS_ENDPOINT_URL"] : undefined;
  const call = client.send(new DescribeStacksCommand({ StackName: name })).catch((cause: Error) => {
    if (emulator !== undefined && isUnreachable(cause)) throw new Error(notRunning(emulator), { cause });
    // CloudFormation reports a missing stack as a ValidationError; the request itself is valid.
    if (cause.name !== "ValidationError") throw cause;
    // Profiles and regions do not matter on an emulator.
    const advice =
      emulator === undefined
        ? `in ${region}: set AWS_REGION or AWS_PROFILE, or ${again(environment)}`
        : `in the LocalStack at ${emulator}: ${again(environment)}`;
    throw new Error(`stack ${name} does not exist ${advice}`, { cause });
  });
  const { Stacks } = await explained(call, { what: `the outputs of ${name}`, region });
  return Stacks![0]!;
}

function notRunning(emulator: string): string {
  return (
    `LocalStack does not answer at ${emulator}: start it with make start-localstack (make deploy ENV=localstack also ` +
    "deploys to it), or set AWS_ENDPOINT_URL to the address of another one"
  );
}

const again = (environment: string): string => `run make deploy ENV=${environment}`;

function outputsOf({ Outputs = [] }: Stack): Record<string, string> {
  return Object.fromEntries(Outputs.map(({ OutputKey, OutputValue }) => [OutputKey!, OutputValue!]));
}
