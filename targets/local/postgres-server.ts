import { closeSync, existsSync, openSync, readFileSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { errorCode } from "../../pipeline/domain/errors.ts";
import { anyFreePort, isFreePort, usedPort } from "./machine.ts";
import { connectionString, type PostgresCredentials } from "./postgres-credentials.ts";
import {
  disarmPidFile,
  findBinaries,
  findServer,
  hasPort,
  launch,
  serverUser,
  signalStop,
  type ServerProcess,
} from "./postgres-process.ts";

/** Passed at every start, so that clusters created by older versions get them too. fsync and checksums stay on. */
const settings = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  shared_buffers: "64MB",
  max_connections: "40",
  max_wal_size: "256MB",
  io_method: "sync",
  jit: "off",
  max_parallel_workers_per_gather: "0",
  log_checkpoints: "off",
  timezone: "UTC",
};

const largestLog = 10_000_000;
const startAttempts = 5;
/** While processes of a killed server still hold its shared memory: on a busy machine they take seconds to exit. */
const heldAttempts = 30;

/** Runs a program to its end; throws with the last lines of its log if it fails. */
export async function run(
  program: string,
  args: string[],
  { user, data, log }: { user: ReturnType<typeof serverUser>; data: string; log: string },
): Promise<void> {
  const { ended } = follow(program, args, { user, data, log });
  const code = await ended;
  if (code !== 0)
    throw new Error(`${program} failed (${code}) on ${data}; its log ${log} ends with:\n${lastLines(log)}`);
}

/**
 * Starts the server on `data` and waits until it accepts connections. If the port is in use, it takes a free one, or
 * throws if the port is demanded.
 */
export async function startServer({
  folder,
  data,
  port,
  isDemanded,
  credentials,
}: {
  folder: string;
  data: string;
  port: number;
  isDemanded: boolean;
  credentials: PostgresCredentials;
}): Promise<ServerProcess> {
  const { postgres } = await findBinaries();
  const user = serverUser(data);
  const log = join(folder, "server.log");
  const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  if (existsSync(log) && statSync(log).size > largestLog) renameSync(log, `${log}.1`);
  for (let attempt = 1; ; attempt++) {
    disarmPidFile(data);
    const free = await choosePort(port, isDemanded);
    const { pid, ended, alive, unref } = follow(postgres, ["-D", data, "-p", `${free}`, ...flags], { user, data, log });
    const server = { pid, port: free };
    if (await acceptsConnections(server, data, credentials, alive)) {
      unref();
      return server;
    }
    const code = await ended;
    const isHeld = lastLines(log).includes("is still in use");
    if (attempt >= (isHeld ? heldAttempts : startAttempts)) {
      throw new Error(`PostgreSQL did not start on ${data} (${code}); its log ${log} ends with:\n${lastLines(log)}`);
    }
    // Transient causes: sessions of a killed server are still ending, or another program took the port first.
    await sleep(attempt * 100);
  }
}

/** The server already running on `data`, once it accepts connections; undefined if there is none or it was stopping. */
export async function adoptServer({
  data,
  credentials,
}: {
  data: string;
  credentials: PostgresCredentials;
}): Promise<ServerProcess | undefined> {
  const server = findServer(data);
  if (!server) return undefined;
  const running = () => findServer(data)?.pid === server.pid;
  return (await acceptsConnections(server, data, credentials, running)) ? server : undefined;
}

/** Stops the server when this process exits or receives a termination signal; returns a function that undoes this. */
export function stopWithThisProcess(data: string, pid: number): () => void {
  const stop = () => {
    if (findServer(data)?.pid === pid) signalStop(data, pid);
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const onSignal = (signal: NodeJS.Signals) => {
    // A further listener means that the program shuts down gracefully and stops this server itself.
    if (process.listenerCount(signal) > 1) return;
    stop();
    process.removeListener(signal, onSignal);
    process.kill(process.pid, signal);
  };
  process.on("exit", stop);
  for (const signal of signals) process.on(signal, onSignal);
  return () => {
    process.removeListener("exit", stop);
    for (const signal of signals) process.removeListener(signal, onSignal);
  };
}

function follow(
  program: string,
  args: string[],
  { user, data, log }: { user: ReturnType<typeof serverUser>; data: string; log: string },
) {
  // A file rather than a pipe, because the server must be able to write after this process is killed.
  const output = openSync(log, "a");
  const child = launch(program, args, { user, data, stdio: ["ignore", output, output] });
  closeSync(output);
  let alive = true;
  const ended = new Promise<number | string | null>((resolve, reject) => {
    child.once("exit", (code, signal) => resolve(code ?? signal));
    child.once("error", (cause) =>
      reject(new Error(`${child.spawnfile} cannot be started: run npm ci again`, { cause })),
    );
  }).finally(() => (alive = false));
  ended.catch(() => {});
  return { pid: child.pid ?? 0, ended, alive: () => alive, unref: () => child.unref() };
}

async function acceptsConnections(
  server: ServerProcess,
  data: string,
  credentials: PostgresCredentials,
  running: () => boolean,
): Promise<boolean> {
  while (running()) {
    const port = server.port;
    const client = new Client({ connectionString: connectionString({ ...credentials, port }, "admin") });
    try {
      await client.connect();
      return true;
    } catch (error) {
      if (errorCode(error) === "28P01" && hasPort(data, server.pid)) {
        throw new Error(
          `credentials.json next to ${data} does not match its server: restore it, or remove the folder`,
          {
            cause: error,
          },
        );
      }
      await sleep(15);
    } finally {
      await client.end().catch(() => {});
    }
  }
  return false;
}

async function choosePort(port: number, isDemanded: boolean): Promise<number> {
  if (await isFreePort(port)) return port;
  if (isDemanded) throw usedPort(port, "--postgres-port");
  return await anyFreePort();
}

/** Several lines, because the reason of a failure is rarely the last one. */
function lastLines(log: string): string {
  return readFileSync(log, "utf8").trimEnd().split("\n").slice(-5).join("\n");
}
