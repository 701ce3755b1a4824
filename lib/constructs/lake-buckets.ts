import type { RemovalPolicy } from "aws-cdk-lib";
import { AnyPrincipal, Effect, PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { StorageClass, type CfnBucket, type IBucket, type LifecycleRule } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import type { Environment } from "../config.ts";
import { addDataBucket, addLogBucket } from "./data-bucket.ts";
import { days } from "./time.ts";

export interface LakeBucketsProps {
  environment: Environment;
  key: IKey;
  removalPolicy: RemovalPolicy;
}

/** The lake, the stores of batches that were given up and of backups, and the logs of who used them. */
export class LakeBuckets extends Construct {
  readonly lake: IBucket;
  readonly onFailure: IBucket;
  readonly backups: IBucket;

  constructor(scope: Construct, id: string, { environment, key, removalPolicy }: LakeBucketsProps) {
    super(scope, id);
    const { keepOldVersionsDays } = environment.lake;
    // LocalStack forgets by itself, and has not what CDK's function that empties buckets needs.
    const fate = { removalPolicy, isEmptied: !environment.keepsData && environment.pipeline === "aws" };
    const accessLogs = addLogBucket(this, "AccessLogs", { ...fate, keepDays: environment.logRetentionDays });
    const shared = { ...fate, key, accessLogs, keepOldVersionsDays };
    this.lake = addDataBucket(this, "Lake", { ...shared, lifecycleRules: lakeRules(environment) });
    this.onFailure = addDataBucket(this, "OnFailure", shared);
    this.backups = addDataBucket(this, "Backups", { ...shared, lifecycleRules: backupRules });
    demandPutIfAbsent(this.lake, ["bronze/*", "silver/*/_delta_log/*.json", "quarantine/*/_delta_log/*.json"]);
    demandPutIfAbsent(this.backups, ["backups/*"]);
    announceNewObjects(this.onFailure);
  }
}

/**
 * Bronze is kept for good, and gets cheaper with age where its objects have 128 KB and more: S3 leaves smaller ones in
 * Standard. What any query can write again goes after a week.
 */
function lakeRules({ lake }: Environment): LifecycleRule[] {
  return [
    {
      id: "bronze-ages",
      prefix: "bronze/",
      transitions: [
        { storageClass: StorageClass.INFREQUENT_ACCESS, transitionAfter: days(lake.infrequentAfterDays) },
        { storageClass: StorageClass.GLACIER_INSTANT_RETRIEVAL, transitionAfter: days(lake.archiveAfterDays) },
      ],
    },
    { id: "manifests-expire", prefix: "manifests/", expiration: days(7) },
    { id: "athena-results-expire", prefix: "athena-results/", expiration: days(7) },
    { id: "lineage-expires", prefix: "lineage/", expiration: days(400) },
  ];
}

/** Backups go once a newer one is proven; the database's own exports, which nobody restores from, by their age. */
const backupRules: LifecycleRule[] = [{ id: "exports-expire", prefix: "exports/", expiration: days(35) }];

/**
 * Bronze objects, Delta commits and backups are written once. The bucket refuses a put without If-None-Match, whoever asks; the
 * parts of a multipart upload cannot carry the header, its completion must.
 */
function demandPutIfAbsent(bucket: IBucket, patterns: string[]): void {
  bucket.addToResourcePolicy(
    new PolicyStatement({
      sid: "WrittenOnce",
      effect: Effect.DENY,
      principals: [new AnyPrincipal()],
      actions: ["s3:PutObject"],
      resources: patterns.map((keys) => bucket.arnForObjects(keys)),
      conditions: { Null: { "s3:if-none-match": "true" }, Bool: { "s3:ObjectCreationOperation": "true" } },
    }),
  );
}

/** Straight on the bucket: CDK's own way deploys a function that may rewrite the notifications of every bucket. */
function announceNewObjects(bucket: IBucket): void {
  const resource = bucket.node.defaultChild as CfnBucket;
  resource.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };
}
