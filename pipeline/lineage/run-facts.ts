import { commitKey, describeCommit, readCommit } from "../delta/log.ts";
import type { ObjectStore } from "../ports.ts";
import type { RunChange } from "./execution-change.ts";
import { quarantine, qualityResults, silver, type DatasetKey } from "./datasets.ts";

/** The datasets' versions and statistics after a completed run, and the run's counts. */
export interface RunFacts {
  counts: Record<string, number>;
  /**
   * Versions of Delta tables (-1 if a table does not exist yet), the silver version that gold shows, the backup's id.
   */
  versions: Partial<Record<DatasetKey | "gold", number | string>>;
  /** Rows, files and bytes that were read from or written to a dataset. */
  statistics: Partial<Record<DatasetKey, { rowCount?: number; fileCount?: number; size?: number }>>;
}

type Numbers = Record<string, number | undefined>;

/** Returns the facts of a run, from its output and silver's log; undefined if it has no output or no facts. */
export async function factsOf(
  store: ObjectStore,
  { workflow, startedAt, output }: RunChange,
): Promise<RunFacts | undefined> {
  if (output === undefined) return undefined;
  if (workflow === "bronze_to_silver") return await refiningFacts(store, startedAt, output);
  if (workflow === "silver_to_gold") return publishingFacts(output);
  if (workflow === "data_quality") return qualityFacts(output);
  if (workflow === "backup") return backupFacts(output);
  return undefined;
}

async function refiningFacts(
  store: ObjectStore,
  startedAt: number,
  output: Record<string, unknown>,
): Promise<RunFacts> {
  const { refined = {}, compacted = {}, quarantine: rejected = {} } = output as Record<string, Numbers>;
  const { version = -1 } = refined;
  const counts = await sumCommits(store, version, startedAt);
  return {
    counts,
    versions: { [silver]: Math.max(version, compacted["version"] ?? -1), [quarantine]: rejected["version"] ?? -1 },
    statistics: {
      "lake:bronze/orders": { fileCount: counts["bronzeObjects"] ?? 0 },
      [silver]: { rowCount: counts["lines"] ?? 0, fileCount: counts["filesWritten"] ?? 0 },
      [quarantine]: { rowCount: rejected["rows"] ?? 0, fileCount: rejected["files"] ?? 0 },
    },
  };
}

/**
 * Adds up the merge commits of silver since the run started, up to a version: a run makes passes until bronze has
 * nothing pending, but its output describes only the last pass. Concurrent runs each count all commits made while they
 * run.
 */
async function sumCommits(store: ObjectStore, newest: number, since: number): Promise<Record<string, number>> {
  const sum: Record<string, number> = {};
  for (let version = newest; version >= 0; version--) {
    const actions = await readCommit(store, "silver/order_lines", version);
    if (actions === undefined) throw new Error(`lineage: ${commitKey("silver/order_lines", version)} does not exist`);
    const { info } = describeCommit(version, actions);
    if (info.timestamp < since) break;
    if (info.operation !== "MERGE") continue;
    for (const [name, count] of Object.entries(info.operationMetrics)) sum[name] = (sum[name] ?? 0) + Number(count);
  }
  return sum;
}

function publishingFacts(output: Record<string, unknown>): RunFacts {
  const {
    plan,
    published = [],
    customersPublished,
  } = output as {
    plan?: { silverVersion: number };
    published?: Numbers[];
    customersPublished?: Numbers;
  };
  const counts: Record<string, number> = {};
  for (const batch of published) addNumbers(counts, batch);
  if (customersPublished) addNumbers(counts, { customerRowsChanged: customersPublished["rowsChanged"] });
  const versions = plan === undefined ? {} : { [silver]: plan.silverVersion, gold: plan.silverVersion };
  return { counts, versions, statistics: {} };
}

function qualityFacts(output: Record<string, unknown>): RunFacts | undefined {
  const { receipt, quality } = output as {
    receipt?: { findings: unknown[] };
    quality?: { silverVersion: number; errors: number; warnings: number; results: unknown[] };
  };
  if (receipt === undefined || quality === undefined) return undefined;
  const { silverVersion, errors, warnings, results } = quality;
  return {
    counts: { receiptFindings: receipt.findings.length, rules: results.length, errors, warnings },
    versions: { [silver]: silverVersion },
    statistics: { [qualityResults]: { rowCount: results.length } },
  };
}

function backupFacts({
  backup,
}: {
  backup?: { id: string; tables: number; rows: number; bytes: number; silverVersion: number };
}) {
  if (backup === undefined) return undefined;
  const { id, tables, rows, bytes, silverVersion } = backup;
  return {
    counts: { tables, rows, bytes },
    versions: { backups: id, gold: silverVersion },
    statistics: { backups: { rowCount: rows, size: bytes } },
  };
}

function addNumbers(sum: Record<string, number>, more: Numbers): void {
  for (const [name, count = 0] of Object.entries(more)) sum[name] = (sum[name] ?? 0) + count;
}
