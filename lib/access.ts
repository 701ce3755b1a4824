import { Aws } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { IBucket } from "aws-cdk-lib/aws-s3";
import type { ISecret } from "aws-cdk-lib/aws-secretsmanager";

/** What a function gets to work with one thing: the variables that name it, and the right to use it, in one. */
export interface Access {
  variables: Record<string, string>;
  statements: PolicyStatement[];
}

/** The same rights, for who does not have to know the thing's name. */
export const permissionsOnly = ({ statements }: Access): Access => ({ variables: {}, statements });

/** A statement that allows actions on resources. */
export const allow = (actions: string[], resources: string[]): PolicyStatement =>
  new PolicyStatement({ actions, resources });

/** Patterns of the keys of objects that somebody may read, write or remove. */
export interface KeyPatterns {
  reads?: string[];
  writes?: string[];
  removes?: string[];
  /**
   * Patterns of the prefixes that somebody may list, or `all`. Without it, those of what is read: S3 says that a key is
   * missing only to who may list the key as a prefix, and refuses others.
   */
  lists?: string[] | "all";
}

/** Rights on a bucket's objects, by the patterns of their keys. */
export function bucketAccess(
  bucket: IBucket,
  variable: string,
  { reads = [], writes = [], removes = [], lists = reads, key }: KeyPatterns & { key: IKey },
): Access {
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

/** Use of the key through one service only. */
export const useKey = (key: IKey, service: string, actions: string[] = ["kms:Decrypt"]): PolicyStatement =>
  new PolicyStatement({
    actions,
    resources: [key.keyArn],
    conditions: { StringEquals: { "kms:ViaService": `${service}.${Aws.REGION}.amazonaws.com` } },
  });

/** The right to read a secret, and the variable that names it. */
export function secretAccess(secret: ISecret, variable: string, key: IKey): Access {
  return {
    variables: { [variable]: secret.secretArn },
    statements: [allow(["secretsmanager:GetSecretValue"], [secret.secretArn]), useKey(key, "secretsmanager")],
  };
}
