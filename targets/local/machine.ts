import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { isAlive } from "../../adapters/folder-files.ts";
import { errorCode } from "../../pipeline/domain/errors.ts";

/**
 * Whether a process is still running. Zombies and other processes that reuse the id do not count. `started` is the
 * result of `processStart`; without it, or without /proc, only the id is compared.
 */
export function isRunning(pid: number, started?: string): boolean {
  if (!isAlive(pid)) return false;
  const now = readState(pid);
  if (now === undefined) return true;
  return !now.hasEnded && (started === undefined || started === now.started);
}

/** Start time of a process in clock ticks since boot; identifies it together with its id. Undefined without /proc. */
export function processStart(pid: number): string | undefined {
  return readState(pid)?.started;
}

function readState(pid: number): { started: string | undefined; hasEnded: boolean } | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = status.slice(status.lastIndexOf(")") + 2).split(" ");
    return { started: fields[19], hasEnded: fields[0] === "Z" || fields[0] === "X" };
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes(errorCode(error))) return undefined;
    throw error;
  }
}

/** Whether the port on 127.0.0.1 can be opened now. */
export async function isFreePort(port: number): Promise<boolean> {
  return (await listenOnce(port)) !== undefined;
}

/** A free port on 127.0.0.1. */
export async function anyFreePort(): Promise<number> {
  const port = await listenOnce(0);
  if (port === undefined) throw new Error("127.0.0.1 has no free port: close programs that listen there");
  return port;
}

/** The error for a port that was requested by an option and is in use. */
export function usedPort(port: number, option: string, cause?: unknown): Error {
  return new Error(`port ${port} is used by another program: choose one with ${option}`, { cause });
}

/** Opens and closes a port; undefined if it cannot be opened. */
async function listenOnce(port: number): Promise<number | undefined> {
  const probe = createServer();
  const isListening = await new Promise<boolean>((resolve) => {
    probe.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true));
  });
  if (!isListening) return undefined;
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === "object" && address ? address.port : undefined;
}
