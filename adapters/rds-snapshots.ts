import {
  CreateDBClusterSnapshotCommand,
  DeleteDBClusterSnapshotCommand,
  DescribeDBClusterSnapshotsCommand,
  DescribeExportTasksCommand,
  paginateDescribeDBClusterSnapshots,
  RDSClient,
  StartExportTaskCommand,
} from "@aws-sdk/client-rds";
import type { DatabaseSnapshots } from "../pipeline/ports.ts";

export interface RdsSnapshotOptions {
  /** Cluster identifier. */
  cluster: string;
  /** Database whose schemas are exported. */
  database: string;
  /** Bucket of the exports, below `exports/`. */
  bucket: string;
  /** Role that the export assumes to write. */
  exportRoleArn: string;
  /** KMS key that encrypts the export. */
  keyArn: string;
  client?: RDSClient;
}

const schemas = ["gold", "facts", "ops"];

/** Name prefix of a cluster's backup snapshots. */
export const snapshotPrefix = (cluster: string): string => `${cluster}-backup-`;

/** Snapshots of an Aurora cluster, each exported to S3 as Parquet. */
export function openRdsSnapshots(options: RdsSnapshotOptions): DatabaseSnapshots {
  const { cluster, database, bucket, exportRoleArn, keyArn } = options;
  let opened = options.client;
  const rds = () =>
    (opened ??= new RDSClient({ maxAttempts: 6, requestHandler: { connectionTimeout: 3000, socketTimeout: 60_000 } }));
  const prefix = snapshotPrefix(cluster);
  const nameOf = (id: string) => prefix + id.toLowerCase();

  async function find(name: string) {
    const response = rds().send(new DescribeDBClusterSnapshotsCommand({ DBClusterSnapshotIdentifier: name }));
    const { DBClusterSnapshots } = await ignoring(response, "DBClusterSnapshotNotFoundFault");
    return DBClusterSnapshots?.[0];
  }

  async function findExport(name: string) {
    const response = rds().send(new DescribeExportTasksCommand({ ExportTaskIdentifier: name }));
    const { ExportTasks } = await ignoring(response, "ExportTaskNotFoundFault");
    return ExportTasks?.[0];
  }

  async function begin(name: string): Promise<string> {
    const request = { DBClusterIdentifier: cluster, DBClusterSnapshotIdentifier: name };
    // A concurrent call may have created it.
    await ignoring(rds().send(new CreateDBClusterSnapshotCommand(request)), "DBClusterSnapshotAlreadyExistsFault");
    return "creating";
  }

  async function beginExport(name: string, source: string): Promise<string> {
    const request = {
      ExportTaskIdentifier: name,
      SourceArn: source,
      S3BucketName: bucket,
      S3Prefix: "exports",
      IamRoleArn: exportRoleArn,
      KmsKeyId: keyArn,
      ExportOnly: schemas.map((schema) => `${database}.${schema}`),
    };
    await ignoring(rds().send(new StartExportTaskCommand(request)), "ExportTaskAlreadyExistsFault");
    return "exporting";
  }

  async function stateOf(name: string): Promise<string> {
    const snapshot = await find(name);
    if (snapshot === undefined) return await begin(name);
    if (snapshot.Status === "failed") throw new Error(`snapshot ${name} failed: see the events of ${cluster} in RDS`);
    if (snapshot.Status !== "available") return "creating";
    const task = await findExport(name);
    if (task === undefined) return await beginExport(name, snapshot.DBClusterSnapshotArn!);
    if (task.Status === "COMPLETE") return "complete";
    if (task.Status !== "FAILED" && !task.Status?.startsWith("CANCEL")) return "exporting";
    throw new Error(`export ${name} is ${task.Status}: ${task.FailureCause ?? "RDS gives no reason"}`);
  }

  return {
    async advance(id) {
      const name = nameOf(id);
      const state = await stateOf(name);
      return { name, state, isDone: state === "complete" };
    },
    async expire(oldestId) {
      const found: string[] = [];
      const wanted = { DBClusterIdentifier: cluster, SnapshotType: "manual" };
      for await (const page of paginateDescribeDBClusterSnapshots({ client: rds() }, wanted)) {
        for (const { DBClusterSnapshotIdentifier: name = "" } of page.DBClusterSnapshots ?? []) {
          if (name.startsWith(prefix) && name < nameOf(oldestId)) found.push(name);
        }
      }
      for (const name of found) {
        const request = new DeleteDBClusterSnapshotCommand({ DBClusterSnapshotIdentifier: name });
        await ignoring(rds().send(request), "DBClusterSnapshotNotFoundFault");
      }
      return found;
    },
  };
}

/** The response, or an empty object on this fault. */
async function ignoring<Response extends object>(
  response: Promise<Response>,
  fault: string,
): Promise<Partial<Response>> {
  try {
    return await response;
  } catch (error) {
    if (error instanceof Error && error.name === fault) return {};
    throw error;
  }
}
