import type { DeltaTable } from "../../pipeline/delta/table.ts";
import type { ObjectStore, Warehouse } from "../../pipeline/ports.ts";
import { layerStatus } from "../layer-status.ts";
import { workflowNames, type PipelineStatus } from "../pipeline-api.ts";
import type { DataDirectory } from "./data-directory.ts";
import type { EventSourceMapping } from "./event-source-mapping/mapping.ts";
import type { LocalPostgres } from "./postgres.ts";
import type { RunLedger } from "./run-ledger.ts";
import type { StreamLog } from "./stream/stream-log.ts";

interface LocalStatusSources {
  folder: DataDirectory;
  stream: StreamLog;
  mapping: EventSourceMapping;
  store: ObjectStore;
  silver: DeltaTable;
  quarantine: DeltaTable;
  warehouse: Warehouse;
  postgres: LocalPostgres;
  runs: RunLedger;
}

/** Status of the local pipeline: counters and newest runs. It checks nothing; that is the receipt's job. */
export function createPipelineStatus(parts: LocalStatusSources): () => Promise<PipelineStatus> {
  return async () => {
    const { invocations, errors, onFailureRecords } = parts.mapping.metrics();
    const { host, port } = parts.postgres.credentials;
    return {
      dir: parts.folder.root,
      stream: streamStatus(parts),
      landing: { invocations, errors, onFailureRecords },
      ...(await layerStatus(parts)),
      workflows: await parts.runs.recent([...workflowNames, "rebuild"]),
      postgres: { host, port },
      memory: { rssBytes: process.memoryUsage.rss() },
    };
  };
}

function streamStatus({ stream, mapping }: LocalStatusSources): PipelineStatus["stream"] {
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
