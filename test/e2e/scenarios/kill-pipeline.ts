import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openPostgresWarehouse } from "../../../adapters/postgres-warehouse.ts";
import type { DataDirectory } from "../../../targets/local/data-directory.ts";
import { goldStatus } from "../../../targets/layer-status.ts";
import { isRunning } from "../../../targets/local/machine.ts";
import type { KilledFunction } from "./target-under-test.ts";

/** The size of each layer, from its files and tables; sizes only grow. */
interface Layers {
  /** Bytes of the stream log. */
  stream: number;
  bronze: number;
  silver: number;
  gold: number;
}

/** A function's input and output layers: it is working while only the input has grown. */
const between = {
  LandRecords: ["stream", "bronze"],
  RefineSilver: ["bronze", "silver"],
  PublishWindows: ["silver", "gold"],
} as const satisfies Record<KilledFunction, [keyof Layers, keyof Layers]>;

/**
 * Sends events, and kills the pipeline's process once the stream has acknowledged all of them and the function's input
 * layer has grown. Returns whether the kill hit the function while it worked: its output layer has not grown.
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

/** PostgreSQL outlives the process that started it, and returns the last commit. */
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

/** Complete files only: one that is being written has another name and may disappear. */
function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}
