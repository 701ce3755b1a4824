import { execFileSync } from "node:child_process";
import { readFileSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { errorCode } from "../lambdas/adapters/error-code.ts";
import { isAlive } from "../lambdas/adapters/folder-files.ts";

/** A PostgreSQL server process, as its `postmaster.pid` names it. */
export interface ServerProcess {
  pid: number;
  port: number;
}

/** The server that runs on the data folder, starting or stopping ones included; undefined where there is none. */
export function findServer(data: string): ServerProcess | undefined {
  const [pid, , , port] = pidFile(data)?.split("\n") ?? [];
  if (!pid || !isAlive(Number(pid)) || !isServerOn(Number(pid), data)) return undefined;
  return { pid: Number(pid), port: Number(port ?? 0) };
}

/** Whether that server has its port: until then another server may be the one that answers there. */
export function hasPort(data: string, pid: number): boolean {
  const [owner, , , , , address] = pidFile(data)?.split("\n") ?? [];
  return Number(owner) === pid && (address ?? "").trim() !== "";
}

/**
 * Makes a pid file harmless whose number now belongs to something else. PostgreSQL would refuse to start; the other
 * lines stay, because by them it sees that a process of the old server is still at work.
 */
export function disarmPidFile(data: string): void {
  const [pid, ...rest] = pidFile(data)?.split("\n") ?? [];
  if (!pid || !isAlive(Number(pid)) || isServerOn(Number(pid), data)) return;
  let unused = 4_194_303;
  while (isAlive(unused)) unused--;
  writeFileSync(join(data, "postmaster.pid"), [unused, ...rest].join("\n"));
}

/** Asks a server to end its sessions and stop, and resolves once it is gone; after `patience` ms it is made to. */
export async function stopServer(data: string, pid: number, patience = 20_000): Promise<void> {
  signalStop(data, pid);
  const until = Date.now() + patience;
  while (findServer(data)?.pid === pid) {
    if (Date.now() > until) signalStop(data, pid, "SIGQUIT");
    await sleep(10);
  }
}

/** Asks a server to stop without waiting: usable while this process exits. A server that is gone is no error. */
export function signalStop(data: string, pid: number, signal: "SIGINT" | "SIGQUIT" = "SIGINT"): void {
  try {
    if (process.platform === "win32") stopOnWindows(data);
    else process.kill(pid, signal);
  } catch (error) {
    if (errorCode(error) !== "ESRCH") throw error;
  }
}

/** Windows has no signals: pg_ctl, which lies beside the server's program, speaks to it through a pipe. */
function stopOnWindows(data: string): void {
  const [program = ""] = readFileSync(join(data, "postmaster.opts"), "utf8").split('"').filter(Boolean);
  execFileSync(join(dirname(program), "pg_ctl"), ["stop", "-m", "fast", "-W", "-D", data]);
}

function pidFile(data: string): string | undefined {
  try {
    return readFileSync(join(data, "postmaster.pid"), "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw new Error(`${data} cannot be read: it belongs to the user who created it; run as that user`, {
      cause: error,
    });
  }
}

/** The command line tells: a number may have been given to another program since, and a dead one not reaped has none. */
function isServerOn(pid: number, data: string): boolean {
  const words = commandLine(pid);
  return words.includes("postgres") && [data, realpathSync(data)].some((path) => words.includes(path));
}

function commandLine(pid: number): string {
  try {
    if (process.platform === "linux") return readFileSync(`/proc/${pid}/cmdline`, "utf8");
    if (process.platform !== "win32")
      return execFileSync("ps", ["-ww", "-o", "command=", "-p", `${pid}`], { encoding: "utf8" });
    const query = `(Get-CimInstance Win32_Process -Filter 'ProcessId=${pid}').CommandLine`;
    return execFileSync("powershell", ["-NoProfile", "-Command", query], { encoding: "utf8" });
  } catch {
    return "";
  }
}
