import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { openS3Store } from "../lambdas/adapters/s3-store.ts";
import type { BackupSummary } from "../lambdas/backup/back-up-warehouse.ts";
import type { ObjectStore } from "../lambdas/ports.ts";
import type { Deployment } from "./deployment.ts";
import { explained } from "./explain-error.ts";

/** A function runs this long at the most. */
const longestCallMs = 15 * 60_000;

/** The bucket of the backups. */
export function openBackupStore({ backupBucket, environment }: Deployment): ObjectStore {
  if (backupBucket !== undefined) return openS3Store({ bucket: backupBucket });
  throw new Error(`environment ${environment} has no bucket for backups: deploy it again`);
}

/** Has RestoreBackup restore a backup and waits for it; what it refuses is an error with its reason. */
export async function restoreRemotely(
  { functions, environment, region }: Deployment,
  id: string | undefined,
): Promise<BackupSummary> {
  const name = functions["RestoreBackup"];
  if (name === undefined) throw new Error(`environment ${environment} has no function RestoreBackup: deploy it again`);
  // One attempt: a second one would find the warehouse full.
  const lambda = new LambdaClient({
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({ requestTimeout: longestCallMs, socketTimeout: longestCallMs }),
  });
  const call = lambda.send(new InvokeCommand({ FunctionName: name, Payload: JSON.stringify({ ...(id && { id }) }) }));
  const { FunctionError, Payload } = await explained(call, { what: `calling ${name}`, region });
  const answer = JSON.parse(Buffer.from(Payload ?? []).toString() || "{}") as BackupSummary & { errorMessage?: string };
  if (FunctionError === undefined) return answer;
  throw new Error(answer.errorMessage ?? `RestoreBackup failed: see pizza logs --function RestoreBackup`);
}
