import { createServer } from "node:net";

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
