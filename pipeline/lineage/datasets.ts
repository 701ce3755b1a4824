import type { DatasetName } from "./open-lineage.ts";

/**
 * The datasets that a workflow reads and writes: the stream, the backups, paths of the lake, tables of the warehouse.
 */
export interface WorkflowDatasets {
  inputs: readonly DatasetKey[];
  outputs: readonly DatasetKey[];
}

export type DatasetKey = "stream" | "backups" | `lake:${string}` | `table:${string}`;

const bronze = "lake:bronze/orders";
export const silver = "lake:silver/order_lines";
export const quarantine = "lake:quarantine/order_events";

/** The results of every evaluation of the quality rules. */
export const qualityResults = "table:ops.data_quality_results";

/** The gold tables that are published from silver. */
export const goldTables = [
  "category_performance",
  "customer_segments",
  "daily_sales_summary",
  "dates",
  "geographic_sales",
  "hourly_trends",
  "monthly_sales_summary",
  "pizza_performance",
  "pizza_type_performance",
  "revenue_analytics",
  "sales_hours",
  "sales_items",
  "size_performance",
] as const;

/** The gold tables that follow the menu, the stores and the ingredients; a deployment or a start publishes them. */
export const catalogTables = ["ingredients", "menu", "menu_prices", "recipes", "stores"] as const;

const gold = goldTables.map((name) => `table:gold.${name}` as const);
const catalog = catalogTables.map((name) => `table:gold.${name}` as const);

const datasets: Record<string, WorkflowDatasets> = {
  // Landing is not a workflow, and bronze has the stream's exact records: the workflow reads the stream through it.
  bronze_to_silver: { inputs: ["stream", bronze], outputs: [silver, quarantine] },
  silver_to_gold: { inputs: [silver], outputs: gold },
  data_quality: { inputs: ["stream", bronze, silver, quarantine, ...gold], outputs: [qualityResults] },
  backup: { inputs: [...gold, ...catalog], outputs: ["backups"] },
};

/** Returns the datasets of a workflow; none if the workflow is not listed. */
export function datasetsOf(workflow: string): WorkflowDatasets {
  return datasets[workflow] ?? { inputs: [], outputs: [] };
}

/** The locations of a target's data, as OpenLineage dataset names. */
export interface DatasetNames {
  /** The namespace of the jobs, such as `pizza-sales-dev`. */
  jobs: string;
  stream: DatasetName;
  backups: DatasetName;
  /** Returns the name of a path below the lake's root. */
  lake: (path: string) => DatasetName;
  /** Returns the name of a warehouse table, such as `gold.daily_sales_summary`. */
  table: (name: string) => DatasetName;
}

/**
 * Returns the locations of a deployed pipeline, on AWS or LocalStack; `warehouse` is `postgres://host:port/database`.
 */
export function awsDatasetNames(pipeline: {
  environment: string;
  region: string;
  account: string;
  streamName: string;
  lakeBucket: string;
  backupBucket: string;
  warehouse: string;
}): DatasetNames {
  const { environment, region, account, streamName, lakeBucket, backupBucket, warehouse } = pipeline;
  return {
    jobs: `pizza-sales-${environment}`,
    stream: { namespace: `arn:aws:kinesis:${region}:${account}`, name: `stream/${streamName}` },
    backups: { namespace: `s3://${backupBucket}`, name: "backups" },
    lake: (path) => ({ namespace: `s3://${lakeBucket}`, name: path }),
    table: tableOf(warehouse),
  };
}

/** Returns the locations of a local pipeline: folders, and the PostgreSQL that it runs. */
export function localDatasetNames(pipeline: {
  stream: string;
  lake: string;
  backups: string;
  warehouse: string;
}): DatasetNames {
  return {
    jobs: "pizza-sales-embedded",
    stream: { namespace: "file", name: pipeline.stream },
    backups: { namespace: "file", name: pipeline.backups },
    lake: (path) => ({ namespace: "file", name: `${pipeline.lake}/${path}` }),
    table: tableOf(pipeline.warehouse),
  };
}

function tableOf(warehouse: string): DatasetNames["table"] {
  const { host, pathname } = new URL(warehouse);
  return (name) => ({ namespace: `postgres://${host}`, name: `${pathname.slice(1)}.${name}` });
}
