import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import type { SecretVersions } from "../pipeline/gold/database-passwords.ts";
import { createCustomerKey } from "../pipeline/silver/write-orders.ts";

/** Reads secrets that are JSON objects with string values, such as database logins. */
export interface Secrets {
  /** The secret's current version, cached for five minutes. */
  read(arn: string): Promise<Record<string, string>>;
}

const keptMilliseconds = 300_000;

let shared: SecretsManagerClient | undefined;

/** Secrets in Secrets Manager. Errors name the secret and never quote its content. */
export function openSecrets({
  client,
  clock = Date.now,
}: { client?: SecretsManagerClient; clock?: () => number } = {}): Secrets {
  const kept = new Map<string, { content: Promise<Record<string, string>>; until: number }>();
  return {
    async read(arn) {
      const before = kept.get(arn);
      if (before && clock() < before.until) return await before.content;
      const content = readSecret(client ?? (shared ??= new SecretsManagerClient({ maxAttempts: 5 })), arn);
      kept.set(arn, { content, until: clock() + keptMilliseconds });
      // A failed read is not cached.
      content.catch(() => kept.delete(arn));
      return await content;
    },
  };
}

async function readSecret(client: SecretsManagerClient, arn: string): Promise<Record<string, string>> {
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: arn })).catch((cause: unknown) => {
    throw explain(cause, arn);
  });
  const content = parse(SecretString);
  if (!content)
    throw new Error(`Secret ${arn}: not a JSON object with string values: write one such as {"password": "…"}`);
  return content;
}

/**
 * The function that derives silver's customer key from a customer id. Its secret is a JSON object with the field `key`.
 */
export async function openCustomerKey(arn: string): Promise<(customerId: string) => string> {
  const { key } = await openSecrets().read(arn);
  if (!key) throw new Error(`secret ${arn} has no field key: add one, such as 64 random hexadecimal digits`);
  return createCustomerKey(key);
}

/** Returns undefined rather than throwing, because the error of JSON.parse quotes the secret. */
function parse(text: string | undefined): Record<string, string> | undefined {
  try {
    const content: unknown = JSON.parse(text ?? "");
    if (typeof content !== "object" || content === null || Array.isArray(content)) return undefined;
    return Object.fromEntries(Object.entries(content).map(([name, value]) => [name, String(value)]));
  } catch {
    return undefined;
  }
}

const advice: Record<string, string> = {
  ResourceNotFoundException: "the secret does not exist or has no value yet: check the stack outputs and AWS_REGION",
  AccessDeniedException:
    "access is denied: the role needs secretsmanager:GetSecretValue on it and kms:Decrypt on its key",
  DecryptionFailure: "its key cannot be used: check that the key is enabled and that the role has kms:Decrypt on it",
};

function explain(cause: unknown, arn: string): Error {
  const name = cause instanceof Error ? cause.name : "";
  const why = advice[name] ?? `${String(cause)}: fix the cause and try again`;
  return new Error(`Secret ${arn}: could not read it: ${why}`, { cause });
}

/** Versions of secrets in Secrets Manager; each is a JSON object. */
export function openSecretVersions(client = new SecretsManagerClient()): SecretVersions {
  const read = async (which: { SecretId: string; VersionId?: string; VersionStage?: string }) => {
    const { SecretString } = await client.send(new GetSecretValueCommand(which));
    return JSON.parse(SecretString ?? "{}") as object;
  };
  return {
    async stages(secret) {
      const { VersionIdsToStages = {} } = await client.send(new DescribeSecretCommand({ SecretId: secret }));
      return VersionIdsToStages;
    },
    current: (secret) => read({ SecretId: secret }),
    async pending(secret, version) {
      try {
        return await read({ SecretId: secret, VersionId: version, VersionStage: "AWSPENDING" });
      } catch (error) {
        if (error instanceof ResourceNotFoundException) return undefined;
        throw error;
      }
    },
    async writePending(secret, version, content) {
      await client.send(
        new PutSecretValueCommand({
          SecretId: secret,
          ClientRequestToken: version,
          SecretString: JSON.stringify(content),
          VersionStages: ["AWSPENDING"],
        }),
      );
    },
    async makeCurrent(secret, version, before) {
      await client.send(
        new UpdateSecretVersionStageCommand({
          SecretId: secret,
          VersionStage: "AWSCURRENT",
          MoveToVersionId: version,
          ...(before !== undefined && { RemoveFromVersionId: before }),
        }),
      );
    },
  };
}
