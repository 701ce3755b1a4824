import { openPostgresWarehouse } from "../../../adapters/postgres-warehouse.ts";
import type { Outgoing } from "../../../producer/batch-builder.ts";
import { createSender } from "../../../producer/send-orders.ts";
import type { Pipeline } from "../../../targets/operations.ts";

/** The functions that are killed. */
export type KilledFunction = "LandRecords" | "RefineSilver" | "PublishWindows";

/** A pipeline that the scenarios run on, initially empty. Faults that it does not support are undefined. */
export interface PipelineUnderTest {
  pipeline: Pipeline;
  /** The secret of its customer keys: with the same secret, another pipeline's gold has the same hash. */
  customerSecret: string;
  /**
   * Moves the events to gold while the function is killed repeatedly; returns the number of kills that certainly hit
   * it.
   */
  deliverKilling?: (name: KilledFunction, events: Iterable<Outgoing>) => Promise<number>;
  /** Makes publishing to gold fail until the returned function is called. */
  breakPublishing?: () => Promise<() => Promise<void>>;
  /**
   * Makes landing fail until the returned function is called; the mapping sends batches to the on-failure destination.
   */
  breakLanding?: () => Promise<() => Promise<void>>;
  /** Stops everything that was started for it. */
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

/** Renames, as the owner, the database function that publishing calls; the returned function undoes it. */
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
