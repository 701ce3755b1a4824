import { CloudFormationClient, DescribeStacksCommand, type Stack } from "@aws-sdk/client-cloudformation";
import { explained, isUnreachable } from "./explain-error.ts";

/** What the stacks of one environment say of themselves. What an environment lacks is undefined. */
export interface Deployment {
  environment: string;
  region: string;
  /** State of each stack, such as UPDATE_COMPLETE, by its name. */
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
  /** PostgreSQL over its own wire, where there is no Aurora; DATABASE_URL says how this machine reaches it. */
  databaseUrl?: string;
  landingMappingId?: string;
  dashboardUrl?: string;
  /** ARN of each state machine, by its workflow. */
  stateMachines: Record<string, string>;
  /** Name of each deployed function, by its name in the project. */
  functions: Record<string, string>;
}

/** Names of an environment's stacks. */
export function stackNames(environment: string): [stateful: string, stateless: string] {
  return [`PizzaSales-${environment}-Stateful`, `PizzaSales-${environment}-Stateless`];
}

/** Finds an environment by the names of its stacks. A missing stack, region or permission is an error that says what to do. */
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
      `environment ${environment}: no output ${name} (${states}): see to the stacks, then ${again(environment)}`,
    );
  };
  const ifThere = <Key extends string>(key: Key, name: string) =>
    outputs[name] === undefined ? {} : ({ [key]: outputs[name] } as Record<Key, string>);
  return {
    environment,
    region,
    stacks: Object.fromEntries(found.map(({ StackName, StackStatus }) => [StackName, StackStatus])),
    lakeBucket: wanted("LakeBucket"),
    onFailureBucket: wanted("OnFailureBucket"),
    ...ifThere("backupBucket", "BackupBucket"),
    streamName: wanted("StreamName"),
    customerKeySecretArn: wanted("CustomerKeySecretArn"),
    ...ifThere("glueDatabase", "GlueDatabase"),
    ...ifThere("athenaWorkgroup", "AthenaWorkgroup"),
    ...ifThere("clusterArn", "ClusterArn"),
    ...ifThere("databaseHost", "DatabaseHost"),
    ...(outputs["DatabasePort"] !== undefined && { databasePort: Number(outputs["DatabasePort"]) }),
    ...ifThere("databaseName", "DatabaseName"),
    ...ifThere("readerSecretArn", "ReaderSecretArn"),
    ...ifThere("writerSecretArn", "WriterSecretArn"),
    ...(outputs["DatabaseUrl"] !== undefined && addressOf(process.env["DATABASE_URL"] ?? outputs["DatabaseUrl"])),
    ...ifThere("landingMappingId", "LandingMappingId"),
    ...ifThere("dashboardUrl", "DashboardUrl"),
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
    throw new Error("AWS region: none is set; set AWS_REGION to the region of the deployment, or AWS_PROFILE", {
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
    // One valid name was asked for: CloudFormation calls a stack that is not there a validation error.
    if (cause.name !== "ValidationError") throw cause;
    // An emulator has no profile, and holds nothing in another region.
    const place =
      emulator === undefined ? `${region}; set AWS_REGION or AWS_PROFILE, or` : `the LocalStack at ${emulator};`;
    throw new Error(`stack ${name}: not in ${place} ${again(environment)}`, { cause });
  });
  const { Stacks } = await explained(call, { what: `the outputs of ${name}`, region });
  return Stacks![0]!;
}

function notRunning(emulator: string): string {
  return (
    `LocalStack does not answer at ${emulator}: make start-localstack starts it, make deploy ENV=localstack deploys to it too; ` +
    "where another one listens, AWS_ENDPOINT_URL says"
  );
}

const again = (environment: string): string => `deploy with make deploy ENV=${environment}`;

function outputsOf({ Outputs = [] }: Stack): Record<string, string> {
  return Object.fromEntries(Outputs.map(({ OutputKey, OutputValue }) => [OutputKey!, OutputValue!]));
}
