import { DescribeStreamSummaryCommand } from "@aws-sdk/client-kinesis";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { sharedKinesisClient } from "../lambdas/adapters/kinesis-client.ts";
import { loadMigrations } from "../lambdas/adapters/project-files.ts";
import { openS3Store } from "../lambdas/adapters/s3-store.ts";
import { once } from "../lambdas/handlers/once.ts";
import { openSilver } from "../lambdas/silver/tables.ts";
import { checkPutIfAbsent } from "./check-store.ts";
import { findDeployment } from "./deployment.ts";
import { explained } from "./explain-error.ts";
import { mappingState } from "./mapping-state.ts";
import { openReader } from "./open-warehouse.ts";

export interface DeploymentCheck {
  name: string;
  /** Resolves to what was found; throws with what to do. */
  look: () => Promise<string>;
}

/** What may be wrong with a deployed home, from the stacks to the database. */
export function deploymentChecks(environment: string): DeploymentCheck[] {
  const deployment = once(() => findDeployment(environment));
  return [
    { name: "stacks", look: stacks },
    { name: "stream", look: stream },
    { name: "landing", look: landing },
    { name: "lake", look: lake },
    { name: "store", look: async () => await checkPutIfAbsent((await deployment()).lakeBucket) },
    { name: "warehouse", look: warehouse },
  ];

  async function stacks(): Promise<string> {
    const found = Object.entries((await deployment()).stacks);
    const broken = found.filter(([, state]) => !/^(CREATE|UPDATE|IMPORT)_COMPLETE$/.test(state));
    if (broken.length === 0) return found.map(([name, state]) => `${name} ${state}`).join(", ");
    const [name, state] = broken[0]!;
    throw new Error(`${name} is ${state}: see its events in CloudFormation, then make deploy ENV=${environment}`);
  }

  async function stream(): Promise<string> {
    const { streamName, region } = await deployment();
    const call = sharedKinesisClient().send(new DescribeStreamSummaryCommand({ StreamName: streamName }));
    const { StreamDescriptionSummary } = await explained(call, { what: `stream ${streamName}`, region });
    const { StreamStatus = "ACTIVE", OpenShardCount } = StreamDescriptionSummary!;
    if (StreamStatus !== "ACTIVE") throw new Error(`${streamName} is ${StreamStatus}: wait, or see it in the console`);
    return `${streamName}, ${OpenShardCount} open shards`;
  }

  async function landing(): Promise<string> {
    const state = await mappingState(await deployment(), new LambdaClient({}));
    if (/^Enabled(; (OK\b.*|No records processed))?$/.test(state)) return state;
    throw new Error(`${state}: see pizza logs --function LandRecords; make deploy ENV=${environment} enables it again`);
  }

  async function lake(): Promise<string> {
    const { lakeBucket } = await deployment();
    const { version } = await openSilver({ store: openS3Store({ bucket: lakeBucket }), clock: Date.now }).snapshot();
    return `${lakeBucket}, silver at version ${version}`;
  }

  async function warehouse(): Promise<string> {
    const reader = await openReader(await deployment());
    try {
      const applied = await reader.query<{ name: string }>("select name from ops.migrations");
      const names = new Set(applied.map(({ name }) => name));
      const missing = loadMigrations().filter(({ name }) => !names.has(name));
      if (missing.length === 0) return `answers, at migration ${applied.length}`;
      throw new Error(
        `lacks ${missing.map(({ name }) => name).join(", ")}: make deploy ENV=${environment} applies them`,
      );
    } finally {
      await reader.close();
    }
  }
}
