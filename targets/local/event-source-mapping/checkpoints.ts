import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile } from "../stream/durable-files.ts";

/** Last processed sequence number of each shard. A shard without checkpoint is delivered again from its start. */
export interface Checkpoints {
  get(shard: string): string | undefined;
  /** Writes the checkpoint to its file first, then to memory. */
  save(shard: string, sequenceNumber: string): Promise<void>;
  forget(shard: string): void;
  all(): Record<string, string>;
}

/**
 * Reads the checkpoints in a folder, one file per shard. A damaged file counts as missing, because that loses nothing:
 * silver recognises the records that are delivered again. `onDamaged` is called with its path.
 */
export function openCheckpoints(folder: string, onDamaged: (path: string) => void = () => {}): Checkpoints {
  mkdirSync(folder, { recursive: true });
  const known = new Map<string, string>();
  for (const name of readdirSync(folder).filter((file) => file.endsWith(".json"))) {
    const sequenceNumber = parse(readFileSync(join(folder, name), "utf8"));
    if (sequenceNumber === undefined) onDamaged(join(folder, name));
    else known.set(name.slice(0, -".json".length), sequenceNumber);
  }
  return {
    get: (shard) => known.get(shard),
    async save(shard, sequenceNumber) {
      // A user may have deleted the folder to have everything delivered again.
      await mkdir(folder, { recursive: true });
      await replaceFile(join(folder, `${shard}.json`), `${JSON.stringify({ sequenceNumber })}\n`);
      known.set(shard, sequenceNumber);
    },
    forget: (shard) => known.delete(shard),
    all: () => Object.fromEntries(known),
  };
}

function parse(text: string): string | undefined {
  try {
    const { sequenceNumber }: { sequenceNumber?: unknown } = JSON.parse(text);
    return typeof sequenceNumber === "string" && /^\d+$/.test(sequenceNumber) ? sequenceNumber : undefined;
  } catch {
    return undefined;
  }
}
