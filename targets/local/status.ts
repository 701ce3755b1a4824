import { statfs } from "node:fs/promises";
import { loadCatalog, loadQualitySql, loadQuarantinedSql } from "../../adapters/project-files.ts";
import { createAnswers } from "../answers.ts";
import { createLayerStatus, type LayerSources } from "../layer-status.ts";
import { questionMs, workflowNames, type PipelineStatus, type StatusRequest } from "../pipeline-api.ts";
import type { DataDirectory } from "./data-directory.ts";
import type { EventSourceMapping } from "./event-source-mapping/mapping.ts";
import type { LocalPostgres } from "./postgres.ts";
import type { RunLedger } from "./run-ledger.ts";
import type { StreamLog } from "./stream/stream-log.ts";

interface LocalStatusSources extends Pick<LayerSources, "store" | "silver" | "quarantine" | "warehouse" | "lake"> {
  folder: DataDirectory;
  stream: StreamLog;
  mapping: EventSourceMapping;
  /** The server, once it runs. */
  postgres: () => Promise<LocalPostgres>;
  runs: RunLedger;
}

/** Status of the local pipeline: counters and newest runs. It checks nothing; that is the receipt's job. */
export function createPipelineStatus(parts: LocalStatusSources): (how: StatusRequest) => Promise<PipelineStatus> {
  const answers = createAnswers();
  const names = { store: "the lake's folder", warehouse: "PostgreSQL", lake: "DuckDB" };
  const rules = { catalog: loadCatalog(), qualitySql: loadQualitySql() };
  const layers = createLayerStatus({ ...parts, names, quarantinedSql: loadQuarantinedSql(), rules });
  return async (how) => {
    const ask = answers.within(questionMs(how));
    const [layerStatus, server, earlier, free] = await Promise.all([
      layers(ask, { isFrequent: how.isFrequent === true }),
      ask(names.warehouse, "its address", async () => (await parts.postgres()).credentials),
      ask(names.warehouse, "the runs", () => parts.runs.recent([...workflowNames, "rebuild"])),
      ask("the disk", "its free space", () => statfs(parts.folder.lake)),
    ]);
    const { invocations, errors, onFailureRecords, failing } = parts.mapping.metrics();
    return {
      at: new Date().toISOString(),
      dir: parts.folder.root,
      notAnswering: answers.notAnswering(),
      stream: streamStatus(parts),
      landing: { invocations, errors, onFailureRecords, ...(failing && { failing }) },
      ...layerStatus,
      workflows: parts.runs.withRunning(earlier ?? []),
      postgres: server === undefined ? null : { host: server.host, port: server.port },
      ...(free && { disk: { freeBytes: free.bavail * free.bsize } }),
      memory: { rssBytes: process.memoryUsage.rss() },
    };
  };
}

function streamStatus({ stream, mapping }: LocalStatusSources): NonNullable<PipelineStatus["stream"]> {
  const shards = stream.shards();
  const total = (key: "records" | "bytes") => shards.reduce((sum, shard) => sum + shard[key], 0);
  const checkpoints = mapping.checkpoints();
  const waiting = shards.filter(
    ({ id, lastSequenceNumber }) => lastSequenceNumber !== undefined && checkpoints[id] !== lastSequenceNumber,
  ).length;
  return {
    shards: shards.filter(({ closed }) => !closed).length,
    records: total("records"),
    bytes: total("bytes"),
    shardsBehind: waiting,
  };
}
