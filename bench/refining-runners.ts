import { rmSync } from "node:fs";
import { join } from "node:path";
import { openFolderStore } from "../adapters/folder-store.ts";
import { loadCatalog } from "../adapters/project-files.ts";
import type { ObjectStore } from "../pipeline/ports.ts";
import { openRefinery, refineAll } from "./bench-pipeline.ts";
import type { BronzeForm, PreparedBronze, Sent } from "./busy-chain.ts";
import type { Runner, BenchSetting, Work } from "./case.ts";
import { createMemoryStore, readAll } from "./memory-store.ts";
import { parseAndWrite, refineNaive, type PlainSilver } from "./plain-refining.ts";

type Open = (setting: BenchSetting, form: BronzeForm, amount: "all" | "part") => PreparedBronze;

/** Variants of refining prepared bronze: ours in memory and on disk, and the naive ones. */
export function refiningRunners(open: Open, name: string): Record<string, (setting: BenchSetting) => Promise<Runner>> {
  return {
    "batches, in memory": (setting) => inMemory(open(setting, "batched", "part"), ours),
    "batches, on disk": (setting) => onDisk(open(setting, "batched", "part"), join(setting.dir, name)),
    "single events, in memory": (setting) => inMemory(open(setting, "single", "part"), ours),
    "plain: naive": (setting) => inMemory(open(setting, "plain", "part"), plain(refineNaive)),
    "plain: parse and write": (setting) => inMemory(open(setting, "batched", "part"), plain(parseAndWrite)),
  };
}

/** Ours on all prepared data, of which the other variants use a part. */
export function refineAllOfIt(open: Open): (setting: BenchSetting) => Promise<Runner> {
  return (setting) => inMemory(open(setting, "batched", "all"), ours);
}

type Refine = (bronze: ReadonlyMap<string, Uint8Array>, sent: Sent) => Promise<Work>;

async function inMemory({ store, sent }: PreparedBronze, refine: Refine): Promise<Runner> {
  const bronze = await readAll(store, "");
  return { run: () => refine(bronze, sent) };
}

const ours: Refine = (bronze, sent) => refineOurs(createMemoryStore(new Map(bronze)), sent);

function plain(
  refine: (from: ObjectStore, to: ObjectStore, catalog: ReturnType<typeof loadCatalog>) => Promise<PlainSilver>,
): Refine {
  const catalog = loadCatalog();
  return async (bronze, sent) => {
    const silver = await refine(createMemoryStore(new Map(bronze)), createMemoryStore(), catalog);
    return work(silver, sent);
  };
}

/** On a real disk, with folders, fsync and put-if-absent. */
async function onDisk({ store, sent }: PreparedBronze, folder: string): Promise<Runner> {
  const bronze = await readAll(store, "bronze/");
  const clear = () => rmSync(folder, { recursive: true, force: true });
  let target: ObjectStore;
  return {
    async before() {
      clear();
      target = openFolderStore(folder);
      for (const [key, body] of bronze) await target.put(key, body);
    },
    run: () => refineOurs(target, sent),
    close: async () => clear(),
  };
}

async function refineOurs(store: ObjectStore, sent: Sent): Promise<Work> {
  const refinery = openRefinery(store);
  const { lines, commits } = await refineAll(refinery);
  const { files } = await refinery.silver.snapshot();
  const bytes = files.values().reduce((sum, { size }) => sum + size, 0);
  return {
    ...work({ lines, bytes }, sent),
    figures: { ...work({ lines, bytes }, sent).figures, commits, files: files.size },
  };
}

function work({ lines, bytes }: PlainSilver, sent: Sent): Work {
  if (lines !== sent.lines) throw new Error(`refining: ${lines} order lines in silver, but ${sent.lines} were sent`);
  return { units: lines, figures: { bytesPerLine: bytes / lines, linesPerEvent: sent.lines / sent.events } };
}
