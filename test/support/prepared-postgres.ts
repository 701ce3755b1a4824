import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { dataDirectory, prepareDataDirectory } from "../../targets/local/data-directory.ts";
import { readCredentials, writeCredentials } from "../../targets/local/postgres-credentials.ts";
import { startPostgres } from "../../targets/local/postgres.ts";
import { openWarehouses } from "../../targets/local/warehouses.ts";
import { freePort } from "./free-port.ts";
import { onceARun } from "./run-folder.ts";

/** The contents of a prepared server: an empty database, or one with every migration applied. */
type Content = "database" | "migrated";

const make = {
  database: async (dir: string) => await (await startPostgres({ dir })).stop(),
  migrated: async (dir: string) => await (await openWarehouses({ dir, port: undefined, onLog: () => {} })).close(),
};

/** What only a power cut makes necessary; a killed server loses nothing without it, so tests may kill theirs. */
const settings = "fsync = off\nfull_page_writes = off\n";

/**
 * Fills an empty folder with the result of PostgreSQL's first start. initdb and the migrations take a second of CPU
 * time, a copy a tenth of that. Tests of the first start and of durability do not use it.
 */
export async function preparePostgres(dir: string, content: Content): Promise<void> {
  const template = await onceARun(`postgres-${content}`, async (folder) => {
    await make[content](folder);
    appendFileSync(join(folder, "data", "postgresql.auto.conf"), settings);
  });
  if (template === undefined) return;
  mkdirSync(dir, { recursive: true });
  // Not fs.cp: the data belongs to the user that the server runs as.
  execFileSync("cp", ["-a", `${template}/.`, dir]);
  await takeOwnPort(dir);
}

/** Gives a copied server another port than its original's. */
export async function takeOwnPort(dir: string): Promise<void> {
  await writeCredentials(dir, { ...(await readCredentials(dir))!, port: await freePort() });
}

/** The same for a new data directory of a local pipeline, for `openLocalPipeline` or `./pizza start`. */
export async function prepareLocalPipeline(dir: string): Promise<void> {
  const folder = dataDirectory(dir);
  prepareDataDirectory(folder, "start");
  await preparePostgres(folder.postgres, "migrated");
}
