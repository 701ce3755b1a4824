import { setTimeout as sleep } from "node:timers/promises";
import { startPostgres } from "../targets/local/postgres.ts";

const pollMs = 1000;
/** Not the local pipeline's port, because both may run at the same time. */
const preferredPort = 55_433;

/**
 * Starts PostgreSQL in `dir` and restarts it if it exits; committed data is on disk. `ended` resolves with the reason
 * if a restart fails. The restart needs the same port, because the functions are configured with the address.
 */
export async function keepPostgres(dir: string, log: (line: string) => void) {
  let postgres = await startPostgres({ dir, preferredPort, onLog: log });
  const { port } = postgres.credentials;
  const databaseUrl = postgres.connectionString("owner");
  let isStopping = false;

  async function untilLost(): Promise<string> {
    for (; ; await sleep(pollMs)) {
      if (isStopping) return "stopped";
      if (postgres.isRunning()) continue;
      log(`PostgreSQL exited (process ${postgres.pid}): starting it again`);
      postgres = await startPostgres({ dir, port, onLog: log });
    }
  }

  const ended = untilLost().catch((error: Error) => `PostgreSQL exited and cannot be restarted: ${error.message}`);
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
