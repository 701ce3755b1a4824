import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { openLakeEngine } from "../../adapters/lake-engine.ts";
import { openS3Store } from "../../adapters/s3.ts";
import { openSecrets } from "../../adapters/secrets.ts";
import { openWarehouse } from "../../adapters/warehouse.ts";
import type { BackupSummary } from "../../pipeline/backup/back-up-warehouse.ts";
import type { LakeQuery, ObjectStore, Warehouse } from "../../pipeline/ports.ts";
import type { Credentials } from "../pipeline-api.ts";
import type { Deployment } from "./deployment.ts";
import { explained } from "./explain-error.ts";
import type { LakeSql } from "./open.ts";

/** Timeout of an invocation: the maximum run time of a Lambda function. */
const longestCallMs = 15 * 60_000;

type Opened = Warehouse & { close(): Promise<void> };

interface WarehouseLogin {
  secretArn: string | undefined;
  readOnly: boolean;
}

/**
 * Opens gold read-only: over the Data API as the reader role or, in an environment without Aurora, over the PostgreSQL
 * protocol with the environment's only login.
 */
export const openReader = (deployment: Deployment): Promise<Opened> =>
  open(deployment, { secretArn: deployment.readerSecretArn, readOnly: true });

/** Opens gold as the publishing role; the caller needs permission to read its secret. */
export const openWriter = (deployment: Deployment): Promise<Opened> =>
  open(deployment, { secretArn: deployment.writerSecretArn, readOnly: false });

async function open(
  { databaseUrl, clusterArn, databaseName, environment }: Deployment,
  { secretArn, readOnly }: WarehouseLogin,
): Promise<Opened> {
  if (databaseUrl !== undefined) {
    return await openWarehouse({ kind: "postgres", connectionString: databaseUrl, readOnly });
  }
  if (clusterArn === undefined || secretArn === undefined || databaseName === undefined) {
    throw new Error(`environment ${environment} has no warehouse in its stack outputs: deploy it again`);
  }
  return await openWarehouse({ kind: "data-api", clusterArn, secretArn, database: databaseName });
}

/** Opens SQL on the deployment's lake: through Athena, or through DuckDB in this process on downloaded files. */
export async function openLakeSql(
  { athenaWorkgroup, glueDatabase, lakeBucket, environment }: Deployment,
  { store, lakeSql }: { store: ObjectStore; lakeSql: LakeSql | undefined },
): Promise<LakeQuery & { close(): Promise<void> }> {
  const hasAthena = athenaWorkgroup !== undefined && glueDatabase !== undefined;
  if (lakeSql === "duckdb" || (lakeSql === undefined && !hasAthena)) {
    const folder = mkdtempSync(join(tmpdir(), "pizza-lake-"));
    const lake = await openLakeEngine({ engine: "duckdb", folder }, store);
    return {
      ...lake,
      // The quarantine contains personal data, so the copies are deleted when the command ends.
      close: async () => {
        await lake.close();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  }
  if (!hasAthena) throw new Error(`environment ${environment} has no Athena workgroup: choose --lake-sql duckdb`);
  const athena = { workgroup: athenaWorkgroup, database: glueDatabase, bucket: lakeBucket };
  return await openLakeEngine({ engine: "athena", ...athena }, store);
}

/** Opens the backup bucket. */
export function openBackupStore({ backupBucket, environment }: Deployment): ObjectStore {
  if (backupBucket !== undefined) return openS3Store({ bucket: backupBucket });
  throw new Error(`environment ${environment} has no backup bucket: deploy it again`);
}

/** Invokes RestoreBackup and waits for its result; throws with the function's error message if it fails. */
export async function restoreDeployed(
  { functions, environment, region }: Deployment,
  id: string | undefined,
): Promise<BackupSummary> {
  const name = functions["RestoreBackup"];
  if (name === undefined) throw new Error(`environment ${environment} has no function RestoreBackup: deploy it again`);
  // No retry: after a partly successful attempt the warehouse is no longer empty.
  const lambda = new LambdaClient({
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({ requestTimeout: longestCallMs, socketTimeout: longestCallMs }),
  });
  const call = lambda.send(new InvokeCommand({ FunctionName: name, Payload: JSON.stringify({ ...(id && { id }) }) }));
  const { FunctionError, Payload } = await explained(call, { what: `calling ${name}`, region });
  const result = JSON.parse(Buffer.from(Payload ?? []).toString() || "{}") as BackupSummary & { errorMessage?: string };
  if (FunctionError === undefined) return result;
  throw new Error(result.errorMessage ?? `RestoreBackup failed: see ./pizza logs --function RestoreBackup`);
}

/** Connection details of gold for the read-only role. */
export async function deployedCredentials(deployment: Deployment): Promise<Credentials> {
  const { databaseUrl, databaseHost: host, databaseName: database, readerSecretArn, region, environment } = deployment;
  if (databaseUrl !== undefined) return fromUrl(databaseUrl);
  if (host === undefined || database === undefined || readerSecretArn === undefined) {
    throw new Error(`environment ${environment} has no warehouse in its stack outputs: deploy it again`);
  }
  const what = "the reader's secret";
  const { username: user, password } = await explained(openSecrets().read(readerSecretArn), { what, region });
  if (!user || !password) throw new Error(`secret ${readerSecretArn} has no username or password: rotate it once`);
  const port = deployment.databasePort ?? 5432;
  const account = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
  const url = `postgresql://${account}@${host}:${port}/${database}?sslmode=require`;
  return { host, port, database, user, password, url };
}

function fromUrl(url: string): Credentials {
  const { hostname: host, port, pathname, username, password } = new URL(url);
  return {
    host,
    port: Number(port || 5432),
    database: pathname.slice(1),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    url,
  };
}
