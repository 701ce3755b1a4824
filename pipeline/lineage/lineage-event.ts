import {
  countsFacet,
  facet,
  producer,
  schemaUrl,
  type DatasetName,
  type Facet,
  type LineageDataset,
  type LineageEvent,
} from "./open-lineage.ts";
import { type DatasetNames, datasetsOf, type DatasetKey } from "./datasets.ts";
import type { RunChange } from "./execution-change.ts";
import type { RunFacts } from "./run-facts.ts";

/** Creates the OpenLineage event of a run's change: its datasets, with versions and counts if they are known. */
export function lineageEvent(change: RunChange, names: DatasetNames, facts?: RunFacts): LineageEvent {
  const { workflow, runId, state, at, error } = change;
  const { inputs, outputs } = datasetsOf(workflow);
  return {
    eventType: state,
    eventTime: new Date(at).toISOString(),
    run: { runId, facets: runFacets(error, facts?.counts ?? {}) },
    job: {
      namespace: names.jobs,
      name: workflow,
      facets: facet("jobType", { processingType: "BATCH", integration: "STEP_FUNCTIONS", jobType: "WORKFLOW" }),
    },
    inputs: inputs.map((key) => dataset(key, names, facts, "inputFacets")),
    outputs: outputs.map((key) => dataset(key, names, facts, "outputFacets")),
    producer,
    schemaURL: schemaUrl,
  };
}

function runFacets(error: string | undefined, counts: Record<string, number>): Record<string, Facet> {
  return {
    ...(error !== undefined && facet("errorMessage", { message: error, programmingLanguage: "TypeScript" })),
    ...(Object.keys(counts).length > 0 && countsFacet(counts)),
  };
}

function dataset(
  key: DatasetKey,
  names: DatasetNames,
  facts: RunFacts | undefined,
  side: "inputFacets" | "outputFacets",
): LineageDataset {
  const version = facts?.versions[key] ?? (key.startsWith("table:gold.") ? facts?.versions.gold : undefined);
  const statistics = facts?.statistics[key];
  const name = side === "inputFacets" ? "inputStatistics" : "outputStatistics";
  return {
    ...nameOf(key, names),
    facets: version === undefined || version === -1 ? {} : facet("version", { datasetVersion: String(version) }),
    ...(statistics && { [side]: facet(name, statistics) }),
  };
}

function nameOf(key: DatasetKey, { stream, backups, lake, table }: DatasetNames): DatasetName {
  if (key === "stream") return stream;
  if (key === "backups") return backups;
  const [kind, name] = key.split(":") as ["lake" | "table", string];
  return kind === "lake" ? lake(name) : table(name);
}
