import { Aws } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { IBucket } from "aws-cdk-lib/aws-s3";
import type { ISecret } from "aws-cdk-lib/aws-secretsmanager";

/** A function's access to one resource: the environment variables that name it and the permission to use it. */
export interface Permission {
  variables: Record<string, string>;
  statements: PolicyStatement[];
}

/** The same permissions without the variables. */
export const permissionsOnly = ({ statements }: Permission): Permission => ({ variables: {}, statements });

/** A statement that allows actions on resources. */
export const allow = (actions: string[], resources: string[]): PolicyStatement =>
  new PolicyStatement({ actions, resources });

/** Key patterns of the objects that may be read, written or deleted. */
export interface KeyPatterns {
  reads?: string[];
  writes?: string[];
  removes?: string[];
  /**
   * Prefix patterns that may be listed, or `all`. Default: `reads`, because for a missing key S3 returns NoSuchKey only
   * with permission to list the key as a prefix, and AccessDenied otherwise.
   */
  lists?: string[] | "all";
}

/** Access to a bucket's objects by key patterns. */
export function bucketAccess(
  bucket: IBucket,
  variable: string,
  { reads = [], writes = [], removes = [], lists = reads, key }: KeyPatterns & { key: IKey },
): Permission {
  const objects = (patterns: string[]) => patterns.map((pattern) => bucket.arnForObjects(pattern));
  const actions = [...(reads.length > 0 ? ["kms:Decrypt"] : []), ...(writes.length > 0 ? ["kms:GenerateDataKey"] : [])];
  return {
    variables: { [variable]: bucket.bucketName },
    statements: [
      ...(lists.length > 0 ? [mayList(bucket, lists)] : []),
      ...(reads.length > 0 ? [allow(["s3:GetObject"], objects(reads))] : []),
      ...(writes.length > 0 ? [allow(["s3:PutObject"], objects(writes))] : []),
      ...(removes.length > 0 ? [allow(["s3:DeleteObject"], objects(removes))] : []),
      ...(actions.length > 0 ? [useKey(key, "s3", actions)] : []),
    ],
  };
}

function mayList(bucket: IBucket, lists: string[] | "all"): PolicyStatement {
  const statement = allow(["s3:ListBucket"], [bucket.bucketArn]);
  if (lists !== "all") statement.addCondition("StringLike", { "s3:prefix": lists });
  return statement;
}

/** Permission to use the KMS key through one service only. */
export const useKey = (key: IKey, service: string, actions: string[] = ["kms:Decrypt"]): PolicyStatement =>
  new PolicyStatement({
    actions,
    resources: [key.keyArn],
    conditions: { StringEquals: { "kms:ViaService": `${service}.${Aws.REGION}.amazonaws.com` } },
  });

/** Access to a secret's value. */
export function secretAccess(secret: ISecret, variable: string, key: IKey): Permission {
  return {
    variables: { [variable]: secret.secretArn },
    statements: [allow(["secretsmanager:GetSecretValue"], [secret.secretArn]), useKey(key, "secretsmanager")],
  };
}
