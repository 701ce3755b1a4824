import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import type { SecretVersions } from "../gold/rotate-password.ts";

/** The versions of secrets in Secrets Manager; each is a JSON object. */
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
