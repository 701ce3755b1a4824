import { AwsFault } from "../support/aws-json.ts";
import { startJsonServer, type JsonServer } from "../support/json-server.ts";

interface Version {
  stages: string[];
  content?: string;
}

export interface SecretStore extends JsonServer {
  /** Starts a rotation as Secrets Manager does: with an empty version under AWSPENDING. */
  beginRotation(secret: string, version: string): void;
  /** The content of the version with a staging label. */
  read(secret: string, stage: string): Record<string, string> | undefined;
  versions(secret: string): Record<string, string[]>;
}

/** The part of Secrets Manager that rotation needs, with its rules for staging labels. */
export async function startSecretStore(contents: Record<string, object>): Promise<SecretStore> {
  const secrets = new Map(
    Object.entries(contents).map(([arn, content]) => [
      arn,
      new Map<string, Version>([["first", { stages: ["AWSCURRENT"], content: JSON.stringify(content) }]]),
    ]),
  );
  const versionsOf = (input: Record<string, unknown>): Map<string, Version> => {
    const versions = secrets.get(String(input["SecretId"]));
    if (!versions) throw new AwsFault("ResourceNotFoundException");
    return versions;
  };
  const withStage = (versions: Map<string, Version>, stage: string) =>
    [...versions].find(([, { stages }]) => stages.includes(stage));
  const unstage = (versions: Map<string, Version>, stage: string): void => {
    for (const version of versions.values()) version.stages = version.stages.filter((name) => name !== stage);
  };

  const server = await startJsonServer({
    answers: {
      GetSecretValue(input) {
        const { VersionStage: stage = "AWSCURRENT", VersionId: id } = input as {
          VersionStage?: string;
          VersionId?: string;
        };
        const found = withStage(versionsOf(input), stage);
        if (found?.[1].content === undefined || (id !== undefined && found[0] !== id)) {
          throw new AwsFault("ResourceNotFoundException", { message: "can't find the specified secret value" });
        }
        return { SecretString: found[1].content, VersionId: found[0] };
      },
      DescribeSecret: (input) => ({
        VersionIdsToStages: Object.fromEntries([...versionsOf(input)].map(([id, { stages }]) => [id, stages])),
      }),
      PutSecretValue(input) {
        const { ClientRequestToken: id, SecretString: content } = input as {
          ClientRequestToken: string;
          SecretString: string;
        };
        const versions = versionsOf(input);
        const before = versions.get(id);
        if (before?.content !== undefined && before.content !== content) throw new AwsFault("ResourceExistsException");
        const stages = input["VersionStages"] as string[];
        for (const stage of stages) unstage(versions, stage);
        versions.set(id, { stages, content });
        return {};
      },
      UpdateSecretVersionStage(input) {
        const { VersionStage: stage, MoveToVersionId: to, RemoveFromVersionId: from } = input as Record<string, string>;
        const versions = versionsOf(input);
        if (withStage(versions, stage!)?.[0] !== from) throw new AwsFault("InvalidParameterException");
        unstage(versions, stage!);
        versions.get(to!)!.stages.push(stage!);
        return {};
      },
    },
  });
  return {
    ...server,
    beginRotation: (secret, version) => void secrets.get(secret)!.set(version, { stages: ["AWSPENDING"] }),
    read(secret, stage) {
      const content = withStage(secrets.get(secret)!, stage)?.[1].content;
      return content === undefined ? undefined : (JSON.parse(content) as Record<string, string>);
    },
    versions: (secret) => Object.fromEntries([...secrets.get(secret)!].map(([id, { stages }]) => [id, stages])),
  };
}
