import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { dataDirectory, keepFilesPrivate, runningProcess } from "../../targets/local/data-directory.ts";
import { isRunning, processStart } from "../../targets/local/machine.ts";
import type { Values } from "../options.ts";
import { printJson, say } from "../output.ts";

/** Starts `./pizza produce` with the same options as a process detached from this terminal. */
export function produceInBackground({ dir, json }: Values): void {
  const folder = dataDirectory(dir);
  if (runningProcess(folder) === undefined) {
    throw new Error(`no local pipeline is running in ${folder.root}: run ./pizza start before produce --background`);
  }
  const known = producerOf(dir);
  if (known !== undefined)
    throw new Error(`process ${known} is already sending orders: stop it with ./pizza produce --stop`);
  keepFilesPrivate();
  mkdirSync(folder.logs, { recursive: true });
  const log = openSync(join(folder.logs, "producer.log"), "a");
  const args = process.argv.slice(1).filter((word) => word !== "--background" && word !== "--json");
  const child = spawn(process.execPath, args, { detached: true, stdio: ["ignore", log, log] });
  child.unref();
  const started = child.pid === undefined ? undefined : processStart(child.pid);
  // Renamed into place: a reader sees all of it or nothing.
  writeFileSync(`${pidFile(dir)}.new`, [child.pid, started].filter((part) => part !== undefined).join(" "));
  renameSync(`${pidFile(dir)}.new`, pidFile(dir));
  if (json) printJson({ started: true, process: child.pid });
  else say(`process ${child.pid} is sending orders: ./pizza status shows them, ./pizza produce --stop ends it`);
}

/** Stops the background producer and reports it. */
export async function stopProducer({ dir, json }: Values): Promise<void> {
  const pid = await endProducer(dir);
  if (json) printJson({ stopped: pid !== undefined });
  else say(pid === undefined ? "no producer is running in the background" : `stopped process ${pid}`);
}

/** Lets the background producer send its open batches and waits until it exits; returns its process id, if any. */
export async function endProducer(dir: string): Promise<number | undefined> {
  const pid = producerOf(dir);
  if (pid !== undefined) {
    process.kill(pid, "SIGINT");
    const log = join(dataDirectory(dir).logs, "producer.log");
    for (let waited = 0; isRunning(pid); waited++) {
      if (waited > 300) throw new Error(`process ${pid} did not exit within 30 s: see ${log}`);
      await sleep(100);
    }
  }
  rmSync(pidFile(dir), { force: true });
  return pid;
}

/** Compares the start time as well, because the system reuses the ids of processes that have ended. */
function producerOf(dir: string): number | undefined {
  if (!existsSync(pidFile(dir))) return undefined;
  const [, pid, started] = /^(\d+)(?: (\d+))?$/.exec(readFileSync(pidFile(dir), "utf8")) ?? [];
  // Only systems without /proc have no start time: elsewhere the rest of the file is lost.
  if (pid === undefined || (started === undefined && processStart(process.pid) !== undefined)) {
    throw new Error(
      `${pidFile(dir)} is damaged: end the process that runs ./pizza produce, if there is one, then remove the file`,
    );
  }
  return isRunning(Number(pid), started) ? Number(pid) : undefined;
}

function pidFile(dir: string): string {
  return join(dataDirectory(dir).root, "producer.pid");
}
