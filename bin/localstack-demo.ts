import { rmSync } from "node:fs";
import { join } from "node:path";
import { deploy, readCustomerSecret } from "../localstack/deploy.ts";
import { clientEnvironment } from "../localstack/environment.ts";
import { resolveTarget } from "../localstack/resolve-target.ts";
import { goldHash, type GoldHash } from "../pipeline/backup/manifest.ts";
import type { OrderEvent } from "../pipeline/domain/generated/order-event.types.ts";
import type { Receipt } from "../pipeline/domain/receipt.ts";
import type { Warehouse } from "../pipeline/ports.ts";
import { toOutgoing } from "../producer/batch-builder.ts";
import { createSender } from "../producer/send-orders.ts";
import { openDeployedPipeline } from "../targets/aws/open.ts";
import { openLocalPipeline } from "../targets/local/open.ts";
import type { LocalStackDirectory } from "../targets/localstack-directory.ts";
import type { Pipeline } from "../targets/operations.ts";
import { classicYear } from "./commands/send.ts";
import { endProgress, progress } from "./output.ts";

export interface Demo {
  receipt: Receipt;
  gold: GoldHash;
  /** Gold tables that differ from those of a local pipeline that received the same orders. */
  differing: string[];
  /** Duration of each part. */
  seconds: { start: number; deploy: number; ordersToGold: number; localPipeline: number };
}

/** The last business date of the classic week, which starts on 2015-01-01. */
const lastDay = "2015-01-07";

/**
 * Starts LocalStack, deploys, sends the classic week through Kinesis and computes the receipt. Then sends the same week
 * through a local pipeline and compares gold. Leaves LocalStack running. Throws if the pipeline already has orders.
 */
export async function demo(
  directory: LocalStackDirectory,
  { port, say }: { port: number; say: (line: string) => void },
): Promise<Demo> {
  const lap = stopwatch();
  const target = await resolveTarget(directory, { port, say });
  const seconds = { start: lap(), deploy: 0, ordersToGold: 0, localPipeline: 0 };
  Object.assign(process.env, clientEnvironment(target.endpoint), { DATABASE_URL: target.databaseUrl });
  if (await hasOrders())
    throw new Error("LocalStack already has orders: run make stop-localstack, then the demo again");
  await deploy(directory, { target, say });
  seconds.deploy = lap();
  const deployed = await openDeployedPipeline({ environment: "localstack", onProgress: progress });
  try {
    say("sending the classic week through Kinesis: landing, bronze, silver, gold");
    await sendAll(deployed, classicWeek());
    seconds.ordersToGold = lap();
    const receipt = await deployed.verify();
    const gold = await hashOf(deployed);
    say("sending it through a local pipeline as well, to compare gold");
    const secret = await readCustomerSecret(deployed.deployment.customerKeySecretArn);
    lap();
    const expected = await goldOfLocalPipeline(join(directory.temporary, "local-pipeline"), secret);
    seconds.localPipeline = lap();
    const names = Object.keys({ ...expected.tables, ...gold.tables });
    const differing = names.filter((name) => expected.tables[name]?.hash !== gold.tables[name]?.hash);
    return { receipt, gold, differing, seconds };
  } finally {
    endProgress();
    await deployed.close();
  }
}

/** Runs before the slow deployment; a pipeline that is not deployed, or only partly, has no orders. */
async function hasOrders(): Promise<boolean> {
  const pipeline = await openDeployedPipeline({ environment: "localstack" }).catch(() => undefined);
  try {
    const { silver, stream } = (await pipeline?.status({ seconds: 60 }).catch(() => undefined)) ?? {};
    return silver != null && (silver.version >= 0 || stream!.shardsBehind > 0);
  } finally {
    await pipeline?.close();
  }
}

function* classicWeek(): Generator<OrderEvent> {
  for (const event of classicYear()) if (event.ordered_at.slice(0, 10) <= lastDay) yield event;
}

/** Sends the orders and waits until they are in gold. */
async function sendAll(pipeline: Pipeline, events: Iterable<OrderEvent>): Promise<void> {
  const sender = createSender({ sink: pipeline.sink });
  for (const event of events) await sender.send(toOutgoing(event));
  await sender.close();
  await pipeline.drain();
}

/** Uses the deployed customer secret, because customer keys are derived from it. */
async function goldOfLocalPipeline(dir: string, customerSecret: string): Promise<GoldHash> {
  process.env["PIZZA_CUSTOMER_SECRET"] = customerSecret;
  const pipeline = await openLocalPipeline({ dir });
  try {
    await sendAll(pipeline, classicWeek());
    return await hashOf(pipeline);
  } finally {
    await pipeline.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

function hashOf(pipeline: Pipeline): Promise<GoldHash> {
  const query = async (sql: string) => await pipeline.query({ sql });
  return goldHash({ query } as Warehouse);
}

/** Each call returns the seconds since the previous one. */
function stopwatch(): () => number {
  let last = performance.now();
  return () => {
    const [before, now] = [last, performance.now()];
    last = now;
    return Math.round((now - before) / 100) / 10;
  };
}
