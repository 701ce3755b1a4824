import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { isAlive } from "../../adapters/folder-files.ts";
import { errorCode } from "../../pipeline/domain/errors.ts";

/**
 * Whether that process still runs: one of which only the exit code is left does not, nor does another one that got the
 * same id. `started` is what `processStart` said of it; without it, or without /proc, the id alone decides.
 */
export function isRunning(pid: number, started?: string): boolean {
  if (!isAlive(pid)) return false;
  const now = readState(pid);
  if (now === undefined) return true;
  return !now.hasEnded && (started === undefined || started === now.started);
}

/** When a process began, in clock ticks since the machine did: with its id it names the process. Undefined without /proc. */
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

/** Whether a program of this machine could listen there now. */
export async function isFreePort(port: number): Promise<boolean> {
  return (await listenOnce(port)) !== undefined;
}

/** A port that nobody has now. */
export async function anyFreePort(): Promise<number> {
  const port = await listenOnce(0);
  if (port === undefined) throw new Error("no port is free on 127.0.0.1: close programs that listen there");
  return port;
}

/** The error of a port that was asked for by an option, and that somebody else has. */
export function usedPort(port: number, option: string, cause?: unknown): Error {
  return new Error(`port ${port} is used by another program: choose one with ${option}`, { cause });
}

/** Listens and stops again; undefined where that is not possible. */
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
