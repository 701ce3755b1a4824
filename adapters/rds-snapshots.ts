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
  /** The cluster's identifier. */
  cluster: string;
  /** The database whose schemas are exported. */
  database: string;
  /** Where exports go, below `exports/`. */
  bucket: string;
  /** What the export writes as. */
  exportRoleArn: string;
  /** What the export is encrypted with. */
  keyArn: string;
  client?: RDSClient;
}

const schemas = ["gold", "facts", "ops"];

/** The names of a cluster's snapshots for backups begin so. */
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
    const answer = rds().send(new DescribeDBClusterSnapshotsCommand({ DBClusterSnapshotIdentifier: name }));
    const { DBClusterSnapshots } = await orNothing(answer, "DBClusterSnapshotNotFoundFault");
    return DBClusterSnapshots?.[0];
  }

  async function findExport(name: string) {
    const answer = rds().send(new DescribeExportTasksCommand({ ExportTaskIdentifier: name }));
    const { ExportTasks } = await orNothing(answer, "ExportTaskNotFoundFault");
    return ExportTasks?.[0];
  }

  async function begin(name: string): Promise<string> {
    const request = { DBClusterIdentifier: cluster, DBClusterSnapshotIdentifier: name };
    // Another call may have begun it meanwhile.
    await orNothing(rds().send(new CreateDBClusterSnapshotCommand(request)), "DBClusterSnapshotAlreadyExistsFault");
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
    await orNothing(rds().send(new StartExportTaskCommand(request)), "ExportTaskAlreadyExistsFault");
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
        await orNothing(rds().send(request), "DBClusterSnapshotNotFoundFault");
      }
      return found;
    },
  };
}

/** The answer, or an empty one where RDS says by this error that there is nothing (more) to do. */
async function orNothing<Answer extends object>(answer: Promise<Answer>, fault: string): Promise<Partial<Answer>> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Error && error.name === fault) return {};
    throw error;
  }
}
