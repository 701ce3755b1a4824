import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** Starts in fifteen seconds on an idle machine, but takes minutes on a busy one. */
const patienceMs = 300_000;

/** Starts TrinoServer.java over a folder and waits until it listens; `classpath` is Java's. */
export async function startTrino({
  classpath,
  root,
  tables,
}: {
  classpath: string;
  root: string;
  /** A file with Glue TableInputs. */
  tables: string;
}): Promise<{ url: string; close(): Promise<void> }> {
  // Trino measures object sizes; without these options it waits for an agent that cannot attach.
  const flags = ["-Xmx2g", "-Djdk.attach.allowAttachSelf=true", "-Djol.skipHotspotSAAttach=true"];
  const server = spawn("java", [...flags, "-cp", classpath, "TrinoServer", root, tables]);
  const log: string[] = [];
  const ended = new Promise<void>((resolve) => server.once("close", () => resolve()));
  createInterface({ input: server.stderr }).on("line", (line) => log.push(line));
  const timer = setTimeout(() => server.kill("SIGKILL"), patienceMs);
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: server.stdout }).on("line", (line) => {
      const [, address] = /^listening on (\S+)/.exec(line) ?? [];
      if (address !== undefined) resolve(address);
    });
    server.once("error", reject);
    server.once("close", () => reject(new Error(`Trino ended before it listened:\n${log.slice(-30).join("\n")}`)));
  });
  clearTimeout(timer);
  return {
    url,
    async close() {
      server.stdin.end();
      const last = setTimeout(() => server.kill("SIGKILL"), 10_000);
      await ended;
      clearTimeout(last);
    },
  };
}
