import { rmSync } from "node:fs";
import { join } from "node:path";
import { classicYear } from "./commands/send.ts";
import { endProgress, progress } from "./output.ts";
import type { OrderEvent } from "../pipeline/domain/generated/order-event.types.ts";
import type { Receipt } from "../pipeline/domain/receipt.ts";
import { goldHash, type GoldHash } from "../pipeline/backup/gold-hash.ts";
import type { Warehouse } from "../pipeline/ports.ts";
import { toOutgoing } from "../producer/batch-builder.ts";
import { createSender } from "../producer/send-orders.ts";
import type { Pipeline } from "../targets/operations.ts";
import { openLocalPipeline } from "../targets/local/open.ts";
import { openDeployedPipeline } from "../targets/aws/open.ts";
import { deploy, readCustomerSecret } from "../localstack/deploy.ts";
import { clientEnvironment } from "../localstack/environment.ts";
import type { LocalStackDirectory } from "../targets/localstack-place.ts";
import { resolveTarget } from "../localstack/resolve-target.ts";

export interface Demo {
  receipt: Receipt;
  gold: GoldHash;
  /** Gold tables that are not as in an embedded home that got the same orders. */
  differing: string[];
  /** How long each part took. */
  seconds: { start: number; deploy: number; ordersToGold: number; embeddedPipeline: number };
}

/** The last business date of the classic week, which begins with the year 2015. */
const lastDay = "2015-01-07";

/**
 * Starts LocalStack, deploys, sends the classic week through Kinesis and works out the receipt; then sends the same week
 * through an embedded home and compares gold. Leaves LocalStack running. A pipeline that has orders already is refused.
 */
export async function demo(
  directory: LocalStackDirectory,
  { port, say }: { port: number; say: (line: string) => void },
): Promise<Demo> {
  const lap = stopwatch();
  const target = await resolveTarget(directory, { port, say });
  const seconds = { start: lap(), deploy: 0, ordersToGold: 0, embeddedPipeline: 0 };
  Object.assign(process.env, clientEnvironment(target.endpoint), { DATABASE_URL: target.databaseUrl });
  if (await holdsOrders()) throw new Error(rejected);
  await deploy(directory, { target, say });
  seconds.deploy = lap();
  const deployed = await openDeployedPipeline({ environment: "localstack", onProgress: progress });
  try {
    say("sending the classic week through Kinesis: landing, bronze, silver, gold");
    await sendAll(deployed, classicWeek());
    seconds.ordersToGold = lap();
    const receipt = await deployed.verify();
    const gold = await hashOf(deployed);
    say("sending it through an embedded home too, to compare gold");
    const secret = await readCustomerSecret(deployed.deployment.customerKeySecretArn);
    lap();
    const expected = await goldOfEmbeddedPipeline(join(directory.temporary, "embedded-home"), secret);
    seconds.embeddedPipeline = lap();
    const names = Object.keys({ ...expected.tables, ...gold.tables });
    const differing = names.filter((name) => expected.tables[name]?.hash !== gold.tables[name]?.hash);
    return { receipt, gold, differing, seconds };
  } finally {
    endProgress();
    await deployed.close();
  }
}

const rejected = "this LocalStack holds orders already: make stop-localstack forgets them, then call the demo again";

/** Asked before a deployment too, which takes its time; what is not there yet, or not whole, holds none. */
async function holdsOrders(): Promise<boolean> {
  const directory = await openDeployedPipeline({ environment: "localstack" }).catch(() => undefined);
  try {
    const { silver, stream } = (await directory?.status().catch(() => undefined)) ?? {};
    return silver !== undefined && (silver.version >= 0 || stream!.shardsBehind > 0);
  } finally {
    await directory?.close();
  }
}

function* classicWeek(): Generator<OrderEvent> {
  for (const event of classicYear()) if (event.ordered_at.slice(0, 10) <= lastDay) yield event;
}

/** Sends the orders and waits until they are in gold. */
async function sendAll(directory: Pipeline, events: Iterable<OrderEvent>): Promise<void> {
  const sender = createSender({ sink: directory.sink });
  for (const event of events) await sender.send(toOutgoing(event));
  await sender.close();
  await directory.drain();
}

/** Customers have the same keys where the secret is the same. */
async function goldOfEmbeddedPipeline(dir: string, customerSecret: string): Promise<GoldHash> {
  process.env["PIZZA_CUSTOMER_SECRET"] = customerSecret;
  const directory = await openLocalPipeline({ dir });
  try {
    await sendAll(directory, classicWeek());
    return await hashOf(directory);
  } finally {
    await directory.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

function hashOf(directory: Pipeline): Promise<GoldHash> {
  const query = async (sql: string) => await directory.query({ sql });
  return goldHash({ query } as Warehouse);
}

/** Each call gives the seconds since the one before it. */
function stopwatch(): () => number {
  let last = performance.now();
  return () => {
    const [before, now] = [last, performance.now()];
    last = now;
    return Math.round((now - before) / 100) / 10;
  };
}
