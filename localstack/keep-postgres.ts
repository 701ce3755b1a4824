import { setTimeout as sleep } from "node:timers/promises";
import { startPostgres } from "../targets/local/postgres.ts";

const lookMs = 1000;
/** Not the embedded home's, which may run beside it. */
const preferredPort = 55_433;

/**
 * Starts PostgreSQL in `dir` and starts it again where it ends by itself: what was committed is on disk. `ended` resolves where
 * that does not work, with what happened; functions know it by its address, so it has to have its port again.
 */
export async function keepPostgres(dir: string, log: (line: string) => void) {
  let postgres = await startPostgres({ dir, preferredPort, onLog: log });
  const { port } = postgres.credentials;
  const databaseUrl = postgres.connectionString("owner");
  let isStopping = false;

  async function untilLost(): Promise<string> {
    for (; ; await sleep(lookMs)) {
      if (isStopping) return "told";
      if (postgres.isRunning()) continue;
      log(`PostgreSQL ended (process ${postgres.pid}): starting it again`);
      postgres = await startPostgres({ dir, port, onLog: log });
    }
  }

  const ended = untilLost().catch((error: Error) => `PostgreSQL ended and does not start again: ${error.message}`);
  return {
    databaseUrl,
    ended,
    async stop(): Promise<void> {
      isStopping = true;
      await ended;
      await postgres.stop();
    },
  };
}
