import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { dataDirectory, runningProcess } from "../../targets/local/data-directory.ts";
import { isRunning, processStart } from "../../targets/local/machine.ts";
import { printJson, say } from "../output.ts";
import type { Values } from "../options.ts";

/** Starts `./pizza produce` once more with the same options, apart from this terminal. */
export function produceInBackground({ dir, json }: Values): void {
  const folder = dataDirectory(dir);
  if (runningProcess(folder) === undefined) {
    throw new Error(`no home runs in ${folder.root}: start it with ./pizza start, then produce --background`);
  }
  const known = producerOf(dir);
  if (known !== undefined)
    throw new Error(`process ${known} already sends orders: stop it with ./pizza produce --stop`);
  mkdirSync(folder.logs, { recursive: true });
  const log = openSync(join(folder.logs, "producer.log"), "a");
  const args = process.argv.slice(1).filter((word) => word !== "--background" && word !== "--json");
  const child = spawn(process.execPath, args, { detached: true, stdio: ["ignore", log, log] });
  child.unref();
  const started = child.pid === undefined ? undefined : processStart(child.pid);
  writeFileSync(pidFile(dir), [child.pid, started].filter((part) => part !== undefined).join(" "));
  if (json) printJson({ started: true, process: child.pid });
  else say(`process ${child.pid} sends orders: ./pizza status, ./pizza produce --stop`);
}

/** Stops the producer in the background, and says so. */
export async function stopProducer({ dir, json }: Values): Promise<void> {
  const pid = await endProducer(dir);
  if (json) printJson({ stopped: pid !== undefined });
  else say(pid === undefined ? "no producer runs in the background" : `stopped process ${pid}`);
}

/** Asks the producer in the background to send what it has begun, and waits for its end; gives its process, if there was one. */
export async function endProducer(dir: string): Promise<number | undefined> {
  const pid = producerOf(dir);
  if (pid !== undefined) {
    process.kill(pid, "SIGINT");
    const log = join(dataDirectory(dir).logs, "producer.log");
    for (let waited = 0; isRunning(pid); waited++) {
      if (waited > 300) throw new Error(`process ${pid} does not end: see ${log}`);
      await sleep(100);
    }
  }
  rmSync(pidFile(dir), { force: true });
  return pid;
}

/** A process that got the number of an ended producer is none. */
function producerOf(dir: string): number | undefined {
  if (!existsSync(pidFile(dir))) return undefined;
  const [pid, started] = readFileSync(pidFile(dir), "utf8").split(" ");
  return isRunning(Number(pid), started) ? Number(pid) : undefined;
}

function pidFile(dir: string): string {
  return join(dataDirectory(dir).root, "producer.pid");
}
