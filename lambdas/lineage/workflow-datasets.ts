/** What a workflow reads and writes, each a path of the lake, a table of the warehouse, the stream or the backups. */
export interface WorkflowDatasets {
  inputs: readonly DatasetKey[];
  outputs: readonly DatasetKey[];
}

export type DatasetKey = "stream" | "backups" | `lake:${string}` | `table:${string}`;

const bronze = "lake:bronze/orders";
export const silver = "lake:silver/order_lines";
export const quarantine = "lake:quarantine/order_events";

/** What the quality rules found, at every time they were asked. */
export const qualityResults = "table:ops.data_quality_results";

/** The tables that people read. */
export const goldTables = [
  "category_performance",
  "customer_segments",
  "daily_sales_summary",
  "geographic_sales",
  "hourly_trends",
  "monthly_sales_summary",
  "pizza_performance",
  "pizza_type_performance",
  "revenue_analytics",
  "size_performance",
] as const;

const gold = goldTables.map((name) => `table:gold.${name}` as const);

const datasets: Record<string, WorkflowDatasets> = {
  // Landing is no workflow, and bronze holds the stream's records as they came: the stream is read through it.
  bronze_to_silver: { inputs: ["stream", bronze], outputs: [silver, quarantine] },
  silver_to_gold: { inputs: [silver], outputs: gold },
  data_quality: { inputs: ["stream", bronze, silver, quarantine, ...gold], outputs: [qualityResults] },
  backup: { inputs: gold, outputs: ["backups"] },
};

/** What is known of a workflow; of one that nobody has described, nothing. */
export function datasetsOf(workflow: string): WorkflowDatasets {
  return datasets[workflow] ?? { inputs: [], outputs: [] };
}
