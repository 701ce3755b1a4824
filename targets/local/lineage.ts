import { randomUUID } from "node:crypto";
import { openFolderStore } from "../../adapters/folder-store.ts";
import { localDatasetNames } from "../../pipeline/lineage/datasets.ts";
import type { RunChange } from "../../pipeline/lineage/execution-change.ts";
import type { LineageEvent } from "../../pipeline/lineage/open-lineage.ts";
import { readLineageEvents, recordLineage, type LineageQuery } from "../../pipeline/lineage/record-lineage.ts";
import type { LineageEndpoint, ObjectStore } from "../../pipeline/ports.ts";
import { dataDirectory, requireDataDirectory, type DataDirectory } from "./data-directory.ts";
import type { NotedRun } from "./run-ledger.ts";

const quietMs = 30_000;

/**
 * Records the runs of the local pipeline as OpenLineage events. START and the final event are written together after a
 * run, so that timer runs without work leave no event. Errors are logged and never fail a workflow.
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
  /** Address of gold, part of the dataset names. */
  database: () => Promise<{ host: string; port: number; database: string }>;
  endpoint: LineageEndpoint | undefined;
  onLog: (line: string) => void;
}) {
  let last: Promise<void> = Promise.resolve();
  let isQuietUntil = -Infinity;

  /** Pauses sending after a failure, so that a slow or dead endpoint does not delay every run. */
  async function send(event: object): Promise<void> {
    if (endpoint === undefined || performance.now() < isQuietUntil) return;
    await endpoint.send(event).catch((error: Error) => {
      isQuietUntil = performance.now() + quietMs;
      onLog(`${error.message}; sending is paused for ${quietMs / 1000} s, the events are kept in the lake`);
    });
  }

  async function write({ workflow, started, ended, output, error }: NotedRun): Promise<void> {
    const { host, port, database: name } = await database();
    const names = localDatasetNames({ ...folder, warehouse: `postgres://${host}:${port}/${name}` });
    const run = { workflow, runId: randomUUID(), startedAt: started };
    const end: RunChange =
      error === undefined
        ? { ...run, state: "COMPLETE", at: ended, output }
        : { ...run, state: "FAIL", at: ended, error };
    for (const change of [{ ...run, state: "START", at: started } as const, end]) {
      await send(await recordLineage({ store, names }, change));
    }
  }

  return {
    /** Queues a run; runs are written in the background, one at a time. */
    record(run: NotedRun): void {
      last = last.then(() => write(run)).catch((error: Error) => onLog(`lineage not recorded: ${error.message}`));
    },
    /** Resolves when all queued runs are written. */
    settled: () => last,
  };
}

/** The recorded lineage events of the local pipeline in `dir`, running or not. */
export async function readLocalLineage(dir: string, asked: LineageQuery): Promise<LineageEvent[]> {
  const folder = dataDirectory(dir);
  requireDataDirectory(folder);
  return await readLineageEvents(openFolderStore(folder.lake), asked);
}
