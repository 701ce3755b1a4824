import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { classicYear } from "../../bin/commands/send.ts";
import { dataDirectory } from "../../targets/local/data-directory.ts";
import { openLocalPipeline } from "../../targets/local/open.ts";
import { prepareLocalPipeline, takeOwnPort } from "../support/prepared-postgres.ts";
import { onceARun } from "../support/run-folder.ts";
import { goldHashes, sendOrders } from "./command-line-fixture.ts";

/** A stopped local pipeline that the classic year went through. Replaying it takes long, so it happens once a run. */
export async function replayedYear() {
  const folder = await onceARun("classic-year", replay);
  if (folder === undefined) throw new Error("there is no folder of this run: start the tests with vitest");
  return {
    /** The hash of every gold table, by name. */
    goldHashes: JSON.parse(readFileSync(hashesIn(folder), "utf8")) as Record<string, string>,
    /** Copies the pipeline to a data directory that does not exist yet. */
    async copyTo(dir: string): Promise<void> {
      // Not fs.cp: the database belongs to the user that the server runs as.
      execFileSync("cp", ["-a", homeIn(folder), dir]);
      await takeOwnPort(dataDirectory(dir).postgres);
    },
  };
}

const homeIn = (folder: string) => join(folder, "home");
const hashesIn = (folder: string) => join(folder, "gold-hashes.json");

/** In two parts, so that silver has an old version. */
async function replay(folder: string): Promise<void> {
  const dir = homeIn(folder);
  await prepareLocalPipeline(dir);
  const pipeline = await openLocalPipeline({ dir });
  try {
    const orders = [...classicYear()];
    for (const part of [orders.slice(0, 100), orders.slice(100)]) {
      await sendOrders(pipeline.sink, part);
      await pipeline.drain();
    }
    writeFileSync(hashesIn(folder), JSON.stringify(await goldHashes(pipeline)));
  } finally {
    await pipeline.close();
  }
}
