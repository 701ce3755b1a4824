import type { DatasetName } from "./open-lineage.ts";

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
export function awsPlaces(home: {
  environment: string;
  region: string;
  account: string;
  streamName: string;
  lakeBucket: string;
  backupBucket: string;
  warehouse: string;
}): Places {
  const { environment, region, account, streamName, lakeBucket, backupBucket, warehouse } = home;
  return {
    jobs: `pizza-sales-${environment}`,
    stream: { namespace: `arn:aws:kinesis:${region}:${account}`, name: `stream/${streamName}` },
    backups: { namespace: `s3://${backupBucket}`, name: "backups" },
    lake: (path) => ({ namespace: `s3://${lakeBucket}`, name: path }),
    table: tableOf(warehouse),
  };
}

/** The places of an embedded home: folders, and the PostgreSQL that it runs. */
export function folderPlaces(home: { stream: string; lake: string; backups: string; warehouse: string }): Places {
  return {
    jobs: "pizza-sales-embedded",
    stream: { namespace: "file", name: home.stream },
    backups: { namespace: "file", name: home.backups },
    lake: (path) => ({ namespace: "file", name: `${home.lake}/${path}` }),
    table: tableOf(home.warehouse),
  };
}

function tableOf(warehouse: string): Places["table"] {
  const { host, pathname } = new URL(warehouse);
  return (name) => ({ namespace: `postgres://${host}`, name: `${pathname.slice(1)}.${name}` });
}
