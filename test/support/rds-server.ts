import { startHttpServer, type HttpAnswer, type TestServer } from "./http-server.ts";

export interface RdsServer extends TestServer {
  /** The status of each snapshot, by name. */
  snapshots: Map<string, string>;
  /** The status and request of each export task, by name. */
  exports: Map<string, { status: string; request: Record<string, string>; cause?: string }>;
  /** Completes everything in progress. */
  finish(): void;
}

/** The part of RDS that backups use (AWS Query, XML): snapshots of one cluster and their exports. */
export async function startRdsServer(): Promise<RdsServer> {
  const snapshots: RdsServer["snapshots"] = new Map();
  const exports: RdsServer["exports"] = new Map();
  const answers: Record<string, (request: Record<string, string>) => HttpAnswer> = {
    CreateDBClusterSnapshot({ DBClusterSnapshotIdentifier: name = "" }) {
      if (snapshots.has(name)) return reject("DBClusterSnapshotAlreadyExistsFault");
      snapshots.set(name, "creating");
      return ok("CreateDBClusterSnapshot", `<DBClusterSnapshot>${snapshot(name)}</DBClusterSnapshot>`);
    },
    DescribeDBClusterSnapshots({ DBClusterSnapshotIdentifier: name }) {
      if (name !== undefined && !snapshots.has(name)) return reject("DBClusterSnapshotNotFoundFault");
      const found = [...snapshots.keys()].filter((each) => name === undefined || each === name);
      const items = found.map((each) => `<DBClusterSnapshot>${snapshot(each)}</DBClusterSnapshot>`);
      return ok("DescribeDBClusterSnapshots", `<DBClusterSnapshots>${items.join("")}</DBClusterSnapshots>`);
    },
    DeleteDBClusterSnapshot({ DBClusterSnapshotIdentifier: name = "" }) {
      const gone = snapshot(name);
      if (!snapshots.delete(name)) return reject("DBClusterSnapshotNotFoundFault");
      return ok("DeleteDBClusterSnapshot", `<DBClusterSnapshot>${gone}</DBClusterSnapshot>`);
    },
    StartExportTask(request) {
      const { ExportTaskIdentifier: name = "" } = request;
      if (exports.has(name)) return reject("ExportTaskAlreadyExists");
      exports.set(name, { status: "STARTING", request });
      return ok("StartExportTask", task(name));
    },
    DescribeExportTasks({ ExportTaskIdentifier: name = "" }) {
      if (!exports.has(name)) return reject("ExportTaskNotFound");
      return ok("DescribeExportTasks", `<ExportTasks><ExportTask>${task(name)}</ExportTask></ExportTasks>`);
    },
  };

  const snapshot = (name: string) =>
    `<DBClusterSnapshotIdentifier>${name}</DBClusterSnapshotIdentifier><Status>${snapshots.get(name)}</Status>` +
    `<DBClusterSnapshotArn>arn:aws:rds:eu-central-1:1:cluster-snapshot:${name}</DBClusterSnapshotArn>`;
  const task = (name: string) => {
    const { status, cause } = exports.get(name)!;
    const why = cause === undefined ? "" : `<FailureCause>${cause}</FailureCause>`;
    return `<ExportTaskIdentifier>${name}</ExportTaskIdentifier><Status>${status}</Status>${why}`;
  };

  const server = await startHttpServer(async ({ body }): Promise<HttpAnswer> => {
    const request = Object.fromEntries(new URLSearchParams(body.toString()));
    return answers[request["Action"]!]!(request);
  });
  return {
    ...server,
    snapshots,
    exports,
    finish() {
      for (const [name, status] of snapshots) if (status === "creating") snapshots.set(name, "available");
      for (const each of exports.values()) if (each.status === "STARTING") each.status = "COMPLETE";
    },
  };
}

function ok(action: string, result: string): HttpAnswer {
  const namespace = 'xmlns="http://rds.amazonaws.com/doc/2014-10-31/"';
  return {
    headers: { "content-type": "text/xml" },
    body: `<${action}Response ${namespace}><${action}Result>${result}</${action}Result></${action}Response>`,
  };
}

function reject(code: string): HttpAnswer {
  const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${code} of the test</Message></Error>`;
  return { status: 404, headers: { "content-type": "text/xml" }, body: `<ErrorResponse>${error}</ErrorResponse>` };
}
