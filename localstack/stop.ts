import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { isRunning } from "../local/process-state.ts";
import { endLeftOver } from "./left-over.ts";
import type { LocalStackHome } from "./paths.ts";
import { readRunning, removeRunning } from "./state.ts";

const patienceSeconds = 40;

/** Stops LocalStack, its functions, its Kinesis and PostgreSQL, and removes what the run left; false where none ran. */
export async function stop(home: LocalStackHome): Promise<boolean> {
  const running = readRunning(home);
  if (running) {
    process.kill(running.pid, "SIGTERM");
    const until = Date.now() + patienceSeconds * 1000;
    while (isRunning(running.pid, running.started) && Date.now() < until) await sleep(50);
    if (isRunning(running.pid, running.started)) process.kill(running.pid, "SIGKILL");
  }
  const leftOver = await endLeftOver(home);
  removeRunning(home);
  for (const folder of [home.temporary, home.postgres]) rmSync(folder, { recursive: true, force: true });
  return running !== undefined || leftOver > 0;
}
