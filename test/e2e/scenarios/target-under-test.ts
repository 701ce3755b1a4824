import { openPostgresWarehouse } from "../../../adapters/postgres-warehouse.ts";
import type { Outgoing } from "../../../producer/batch-builder.ts";
import { createSender } from "../../../producer/send-orders.ts";
import type { Pipeline } from "../../../targets/operations.ts";

/** The functions that are killed. */
export type KilledFunction = "LandRecords" | "RefineSilver" | "PublishWindows";

/** A home that the scenarios run through: empty at the beginning. What it cannot be made to suffer is undefined. */
export interface PipelineUnderTest {
  pipeline: Pipeline;
  /** Secret of its customer tokens: with the same one, gold of another home has the same hash. */
  customerSecret: string;
  /** Has the events in gold in the end, while the function is killed at its work; gives back how often it surely was. */
  deliverKilling?: (name: KilledFunction, events: Iterable<Outgoing>) => Promise<number>;
  /** Publishing to gold fails until the function that is given back is called. */
  breakPublishing?: () => Promise<() => Promise<void>>;
  /** Landing fails until the function that is given back is called; its mapping gives up batches meanwhile. */
  breakLanding?: () => Promise<() => Promise<void>>;
  /** Stops what was started for it. */
  close(): Promise<void>;
}

/** Sends events and resolves when the stream has acknowledged them. */
export async function send({ sink }: Pipeline, events: Iterable<Outgoing>): Promise<void> {
  const sender = createSender({ sink });
  for (const event of events) await sender.send(event);
  await sender.close();
}

/** Sends events and resolves when they are in gold. */
export async function deliver(pipeline: Pipeline, events: Iterable<Outgoing>): Promise<void> {
  await send(pipeline, events);
  await pipeline.drain();
}

/** Takes away what publishing calls in the database, as its owner; calling what is given back puts it there again. */
export async function breakPublishing(databaseUrl: string): Promise<() => Promise<void>> {
  const rename = async (from: string, to: string) => {
    const warehouse = openPostgresWarehouse({ connectionString: databaseUrl });
    try {
      await warehouse.query(`alter function ops.${from} rename to ${to}`);
    } finally {
      await warehouse.close();
    }
  };
  await rename("publish_windows", "publish_windows_away");
  return () => rename("publish_windows_away", "publish_windows");
}
