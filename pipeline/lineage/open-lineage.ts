/**
 * A run event of OpenLineage 2.0.2 (https://openlineage.io/spec/2-0-2/OpenLineage.json), with the fields that the
 * workflows use. The facets are those of the specification, except the custom facet `pizzaSales_counts`.
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

/** A dataset of an event, named by the naming conventions of OpenLineage. */
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

/** The `producer` of every event and facet. */
export const producer = "urn:pizza-sales-streaming-pipeline";
export const schemaUrl = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";

const facetSchemas = {
  errorMessage: "1-0-1/ErrorMessageRunFacet",
  jobType: "2-0-3/JobTypeJobFacet",
  version: "1-0-1/DatasetVersionDatasetFacet",
  inputStatistics: "1-0-0/InputStatisticsInputDatasetFacet",
  outputStatistics: "1-0-2/OutputStatisticsOutputDatasetFacet",
} as const;

/** Creates a facet of the specification, under its key. */
export function facet(name: keyof typeof facetSchemas, content: Record<string, unknown>): Record<string, Facet> {
  const [version, schema] = facetSchemas[name].split("/");
  const url = `https://openlineage.io/spec/facets/${version}/${schema}.json#/$defs/${schema}`;
  return { [name]: { _producer: producer, _schemaURL: url, ...content } };
}

/** Creates the custom facet with a run's counts: events, orders, windows and so on, each an integer. */
export function countsFacet(counts: Record<string, number>): Record<string, Facet> {
  const url = `${producer}:facet:counts:1`;
  return { pizzaSales_counts: { _producer: producer, _schemaURL: url, ...counts } };
}
