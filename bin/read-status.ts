import { setTimeout as sleep } from "node:timers/promises";
import { openLocalPipeline } from "../targets/local/open.ts";
import type { PipelineStatus } from "../targets/pipeline-api.ts";

/**
 * Reads the status of a local pipeline that does not run, in a separate process: one that hangs in the file system
 * cannot exit, and `./pizza status` kills it. Sends the status, or an error, to its parent process.
 */
const [dir = "", limit = ""] = process.argv.slice(2);
const seconds = Number(limit);
const send = (message: StatusMessage): void => void process.send!(message);

export type StatusMessage = { status: PipelineStatus } | { error: string };

try {
  const pipeline = await openLocalPipeline({ dir, isReadOnly: true, isEarly: true });
  // PostgreSQL may take half of the time to start.
  await Promise.race([pipeline.credentials().catch(() => {}), sleep(seconds * 450, undefined, { ref: false })]);
  send({ status: await pipeline.status({ seconds: Math.max(1, seconds * 0.45) }) });
  await pipeline.close();
} catch (error) {
  send({ error: (error as Error).message });
}
process.disconnect();
