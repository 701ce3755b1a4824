import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openPostgresWarehouse } from "../../../adapters/postgres-warehouse.ts";
import type { DataDirectory } from "../../../targets/local/data-directory.ts";
import { goldStatus } from "../../../targets/layer-status.ts";
import { isRunning } from "../../../targets/local/machine.ts";
import type { KilledFunction } from "./target-under-test.ts";

/** What each layer holds, as its files and tables say; each only grows. */
interface Layers {
  /** Bytes of the stream's log. */
  stream: number;
  bronze: number;
  silver: number;
  gold: number;
}

/** The layer before a function's own, and its own: in between it is at work. */
const between = {
  LandRecords: ["stream", "bronze"],
  RefineSilver: ["bronze", "silver"],
  PublishWindows: ["silver", "gold"],
} as const satisfies Record<KilledFunction, [keyof Layers, keyof Layers]>;

/**
 * Sends, and kills the home's process when the stream has acknowledged all and the layer before the function has got something
 * new. True where the kill hit the function in its middle: its own layer has got nothing when the process is gone.
 */
export async function killInTheMiddle(
  name: KilledFunction,
  pipeline: {
    folder: DataDirectory;
    databaseUrl: string;
    pid: number;
    send: () => Promise<void>;
    drain: () => Promise<void>;
  },
): Promise<boolean> {
  const { folder, databaseUrl, pid, send, drain } = pipeline;
  const [from, to] = between[name];
  const before = await look(folder, databaseUrl);
  await send();
  const drained = drain().catch(() => {});
  while (layersOnDisk(folder)[from] === before[from]) await sleep(1);
  process.kill(pid, "SIGKILL");
  await drained;
  while (isRunning(pid)) await sleep(5);
  const after = await look(folder, databaseUrl);
  return after[from] > before[from] && after[to] === before[to];
}

/** PostgreSQL outlives the process that started it, and tells the last commit. */
async function look(folder: DataDirectory, connectionString: string): Promise<Layers> {
  const warehouse = openPostgresWarehouse({ connectionString });
  try {
    return { ...layersOnDisk(folder), gold: (await goldStatus(warehouse)).silverVersion };
  } finally {
    await warehouse.close();
  }
}

function layersOnDisk({ stream, lake }: DataDirectory): Omit<Layers, "gold"> & { gold: number } {
  const commits = filesBelow(join(lake, "silver")).filter((path) => /_delta_log\/\d+\.json$/.test(path));
  return {
    stream: filesBelow(stream).reduce((sum, path) => sum + statSync(path).size, 0),
    bronze: filesBelow(join(lake, "bronze")).length,
    silver: commits.length,
    gold: 0,
  };
}

/** Whole files: one that is being written has another name, and may be gone by now. */
function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}
