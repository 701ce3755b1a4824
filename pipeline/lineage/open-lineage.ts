/**
 * Run events of OpenLineage 2.0.2 (https://openlineage.io/spec/2-0-2/OpenLineage.json), as far as the workflows use them.
 * The facets are those of the specification; `pizzaSales_counts` is the pipeline's own.
 */
export interface LineageEvent {
  eventType: "START" | "COMPLETE" | "FAIL" | "ABORT";
  /** ISO 8601, UTC. */
  eventTime: string;
  run: { runId: string; facets: Record<string, Facet> };
  job: { namespace: string; name: string; facets: Record<string, Facet> };
  inputs: LineageDataset[];
  outputs: LineageDataset[];
  producer: string;
  schemaURL: string;
}

/** A dataset; namespace and name are those that other tools give it too. */
export interface LineageDataset extends DatasetName {
  facets: Record<string, Facet>;
  inputFacets?: Record<string, Facet>;
  outputFacets?: Record<string, Facet>;
}

export interface DatasetName {
  namespace: string;
  name: string;
}

export type Facet = { _producer: string; _schemaURL: string } & Record<string, unknown>;

/** Who says so. */
export const producer = "urn:pizza-sales-streaming-pipeline";
export const schemaUrl = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";

const facetSchemas = {
  errorMessage: "1-0-1/ErrorMessageRunFacet",
  jobType: "2-0-3/JobTypeJobFacet",
  version: "1-0-1/DatasetVersionDatasetFacet",
  inputStatistics: "1-0-0/InputStatisticsInputDatasetFacet",
  outputStatistics: "1-0-2/OutputStatisticsOutputDatasetFacet",
} as const;

/** A facet of the specification, under its own key. */
export function facet(name: keyof typeof facetSchemas, content: Record<string, unknown>): Record<string, Facet> {
  const [version, schema] = facetSchemas[name].split("/");
  const url = `https://openlineage.io/spec/facets/${version}/${schema}.json#/$defs/${schema}`;
  return { [name]: { _producer: producer, _schemaURL: url, ...content } };
}

/** What the run counted: events, orders, windows, each a whole number. */
export function countsFacet(counts: Record<string, number>): Record<string, Facet> {
  const url = `${producer}:facet:counts:1`;
  return { pizzaSales_counts: { _producer: producer, _schemaURL: url, ...counts } };
}
