import type { DatasetName } from "./open-lineage.ts";

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

/** Where a home keeps its data, by the names that OpenLineage gives such places. */
export interface Places {
  /** The namespace of the jobs, such as `pizza-sales-dev`. */
  jobs: string;
  stream: DatasetName;
  backups: DatasetName;
  /** A path below the lake's root. */
  lake: (path: string) => DatasetName;
  /** A table of the warehouse, such as `gold.daily_sales_summary`. */
  table: (name: string) => DatasetName;
}

/** The places of a home on AWS, or on an emulator of it; `warehouse` is `postgres://host:port/database`. */
export function awsPlaces(pipeline: {
  environment: string;
  region: string;
  account: string;
  streamName: string;
  lakeBucket: string;
  backupBucket: string;
  warehouse: string;
}): Places {
  const { environment, region, account, streamName, lakeBucket, backupBucket, warehouse } = pipeline;
  return {
    jobs: `pizza-sales-${environment}`,
    stream: { namespace: `arn:aws:kinesis:${region}:${account}`, name: `stream/${streamName}` },
    backups: { namespace: `s3://${backupBucket}`, name: "backups" },
    lake: (path) => ({ namespace: `s3://${lakeBucket}`, name: path }),
    table: tableOf(warehouse),
  };
}

/** The places of an embedded home: folders, and the PostgreSQL that it runs. */
export function folderPlaces(pipeline: { stream: string; lake: string; backups: string; warehouse: string }): Places {
  return {
    jobs: "pizza-sales-embedded",
    stream: { namespace: "file", name: pipeline.stream },
    backups: { namespace: "file", name: pipeline.backups },
    lake: (path) => ({ namespace: "file", name: `${pipeline.lake}/${path}` }),
    table: tableOf(pipeline.warehouse),
  };
}

function tableOf(warehouse: string): Places["table"] {
  const { host, pathname } = new URL(warehouse);
  return (name) => ({ namespace: `postgres://${host}`, name: `${pathname.slice(1)}.${name}` });
}
