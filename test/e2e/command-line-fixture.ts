import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toOutgoing } from "../../producer/batch-builder.ts";
import { createSender } from "../../producer/send-orders.ts";
import type { OrderEvent } from "../../pipeline/domain/generated/order-event.types.ts";
import type { EventSink } from "../../pipeline/ports.ts";
import type { Pipeline } from "../../targets/operations.ts";

/** The command line's entry point. */
export const script = new URL("../../bin/pizza.ts", import.meta.url).pathname;

/** A temporary data directory, and the function that removes it. */
export function temporaryPipeline(): { dir: string; remove: () => void } {
  const root = mkdtempSync(join(tmpdir(), "pizza-e2e-"));
  return { dir: join(root, "home"), remove: () => rmSync(root, { recursive: true, force: true }) };
}

/** What a command line wrote, and its exit code; null if a signal ended its process. */
export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the command line as a process. */
export async function pizza(dir: string, ...args: string[]): Promise<Finished> {
  const child = spawn(process.execPath, [script, ...args, "--dir", dir], { env: { ...process.env, ...environment } });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, stdout, stderr };
}

/** The same secret in every pipeline, so that customer keys and the hash of gold are equal. */
const environment = { PIZZA_CUSTOMER_SECRET: "test", NO_COLOR: "1" };
process.env["PIZZA_CUSTOMER_SECRET"] = environment.PIZZA_CUSTOMER_SECRET;

/** Sends events and resolves when the stream has acknowledged them. */
export async function sendOrders(sink: EventSink, events: Iterable<OrderEvent>): Promise<void> {
  const sender = createSender({ sink });
  for (const event of events) await sender.send(toOutgoing(event));
  await sender.close();
}

/** Hash of every gold table, by name. */
export async function goldHashes(pipeline: Pipeline): Promise<Record<string, string>> {
  const rows = await pipeline.query({
    sql: "select table_name, row_count || ' rows ' || hash as content from ops.gold_hash()",
  });
  return Object.fromEntries(rows.map((row) => [row["table_name"], row["content"]])) as Record<string, string>;
}
