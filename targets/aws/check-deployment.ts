import { randomUUID } from "node:crypto";
import { DescribeStreamSummaryCommand } from "@aws-sdk/client-kinesis";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { sharedKinesisClient } from "../../adapters/kinesis.ts";
import { loadMigrations } from "../../adapters/project-files.ts";
import { openS3Store } from "../../adapters/s3.ts";
import type { ObjectStore } from "../../pipeline/ports.ts";
import { openSilver } from "../../pipeline/silver/tables.ts";
import type { Check } from "../pipeline-api.ts";
import { openReader } from "./connections.ts";
import { findDeployment, type Deployment } from "./deployment.ts";
import { explained } from "./explain-error.ts";
import { mappingState } from "./status.ts";

/** Checks of a deployed pipeline, from the stacks to the database. */
export function deploymentChecks(environment: string): Check[] {
  let deployed: Promise<Deployment> | undefined;
  const deployment = () => (deployed ??= findDeployment(environment));
  return [
    { name: "stacks", run: stacks },
    { name: "stream", run: stream },
    { name: "landing", run: landing },
    { name: "lake", run: lake },
    { name: "store", run: async () => await checkPutIfAbsent((await deployment()).lakeBucket) },
    { name: "warehouse", run: warehouse },
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
    if (StreamStatus !== "ACTIVE") {
      throw new Error(`${streamName} is ${StreamStatus}: wait until it is ACTIVE, or look at it in the console`);
    }
    return `${streamName}, ${OpenShardCount} open shards`;
  }

  async function landing(): Promise<string> {
    const state = await mappingState(await deployment(), new LambdaClient({}));
    if (/^Enabled(; (OK\b.*|No records processed))?$/.test(state)) return state;
    throw new Error(
      `${state}: see ./pizza logs --function LandRecords, then enable it again with make deploy ENV=${environment}`,
    );
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
      if (missing.length === 0) return `reachable, at migration ${applied.length}`;
      throw new Error(
        `migrations missing: ${missing.map(({ name }) => name).join(", ")}: apply them with make deploy ENV=${environment}`,
      );
    } finally {
      await reader.close();
    }
  }
}

const writers = ["first", "second", "third"];

/**
 * Tests a bucket's conditional put (If-None-Match) on a new object below `doctor/`: with several concurrent writers,
 * then with one more. Resolves to a description of the result; throws if a second writer could replace the object.
 */
export async function checkPutIfAbsent(bucket: string, store = openS3Store({ bucket })): Promise<string> {
  const key = `doctor/${randomUUID()}`;
  try {
    const won = await createdBy(store, key, writers);
    const late = await createdBy(store, key, ["late"]);
    const kept = Buffer.from((await store.get(key)) ?? []).toString();
    if (won.length === 1 && late.length === 0 && kept === won[0]) return `${bucket} creates each object once`;
  } finally {
    // Without permission to delete, the object stays; that does not affect the result.
    await store.delete(key).catch(() => {});
  }
  throw new Error(
    `${bucket} ignores If-None-Match and lets a second writer replace an object: two commits of the same silver version ` +
      "would both succeed, and the orders of the first would be lost silently; use a store that supports conditional " +
      "writes (AWS S3, MinIO, LocalStack), or a newer release of this one",
  );
}

/** The writers whose conditional put reported that it created the object. */
async function createdBy(store: ObjectStore, key: string, names: readonly string[]): Promise<string[]> {
  const created = await Promise.all(names.map((name) => store.put(key, Buffer.from(name), { ifAbsent: true })));
  return names.filter((_, index) => created[index]);
}
