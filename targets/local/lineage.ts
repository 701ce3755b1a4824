import { randomUUID } from "node:crypto";
import { openFolderStore } from "../../adapters/folder-store.ts";
import type { LineageEvent } from "../../pipeline/lineage/open-lineage.ts";
import { readEvents, recordLineage, type LineageQuery } from "../../pipeline/lineage/record-lineage.ts";
import type { RunChange } from "../../pipeline/lineage/execution-change.ts";
import type { LineageEndpoint, ObjectStore } from "../../pipeline/ports.ts";
import { folderPlaces } from "../../pipeline/lineage/datasets.ts";
import { requireDataDirectory, dataDirectory, type DataDirectory } from "./data-directory.ts";
import type { NotedRun } from "./run-ledger.ts";

const quietMs = 30_000;

/**
 * Keeps the runs of an embedded home as events of OpenLineage. Start and end are written together once a run has ended, so
 * that the timer's idle turns leave nothing. Whatever goes wrong is logged and stops no workflow.
 */
export function createLineageRecorder({
  folder,
  store,
  database,
  endpoint,
  onLog,
}: {
  folder: DataDirectory;
  store: ObjectStore;
  /** Where gold is. */
  database: () => Promise<{ host: string; port: number; database: string }>;
  endpoint: LineageEndpoint | undefined;
  onLog: (line: string) => void;
}) {
  let last: Promise<void> = Promise.resolve();
  let isQuietUntil = -Infinity;

  /** An endpoint that fails is left alone for a while, so that nobody waits for it long. */
  async function tell(event: object): Promise<void> {
    if (endpoint === undefined || performance.now() < isQuietUntil) return;
    await endpoint.send(event).catch((error: Error) => {
      isQuietUntil = performance.now() + quietMs;
      onLog(`${error.message}; it hears nothing for ${quietMs / 1000} s, and the lake keeps the events`);
    });
  }

  async function write({ workflow, started, ended, output, error }: NotedRun): Promise<void> {
    const { host, port, database: name } = await database();
    const places = folderPlaces({ ...folder, warehouse: `postgres://${host}:${port}/${name}` });
    const run = { workflow, runId: randomUUID(), startedAt: started };
    const end: RunChange =
      error === undefined
        ? { ...run, state: "COMPLETE", at: ended, output }
        : { ...run, state: "FAIL", at: ended, error };
    for (const change of [{ ...run, state: "START", at: started } as const, end]) {
      await tell(await recordLineage({ store, places }, change));
    }
  }

  return {
    /** Takes a run; what it writes is written behind the workflow's back, one run after the other. */
    record(run: NotedRun): void {
      last = last.then(() => write(run)).catch((error: Error) => onLog(`lineage not recorded: ${error.message}`));
    },
    /** Resolves when all is written. */
    settled: () => last,
  };
}

/** The recorded lineage events of the local pipeline in `dir`, running or not. */
export async function readLocalLineage(dir: string, asked: LineageQuery): Promise<LineageEvent[]> {
  const folder = dataDirectory(dir);
  requireDataDirectory(folder);
  return await readEvents(openFolderStore(folder.lake), asked);
}
