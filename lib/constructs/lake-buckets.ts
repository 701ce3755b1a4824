import { Duration, type RemovalPolicy } from "aws-cdk-lib";
import { AnyPrincipal, Effect, PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { StorageClass, type CfnBucket, type IBucket, type LifecycleRule } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import type { Environment } from "../config.ts";
import { addDataBucket, addLogBucket } from "./data-bucket.ts";

export interface LakeBucketsProps {
  environment: Environment;
  key: IKey;
  removalPolicy: RemovalPolicy;
}

/** The buckets of the lake, the on-failure destination, the backups and their access logs. */
export class LakeBuckets extends Construct {
  readonly lake: IBucket;
  readonly onFailure: IBucket;
  readonly backups: IBucket;

  constructor(scope: Construct, id: string, { environment, key, removalPolicy }: LakeBucketsProps) {
    super(scope, id);
    const { keepOldVersionsDays } = environment.lake;
    // LocalStack does not persist data, and lacks what CDK's function that empties buckets needs.
    const deletion = { removalPolicy, isEmptied: !environment.keepsData && environment.pipeline === "aws" };
    const accessLogs = addLogBucket(this, "AccessLogs", { ...deletion, keepDays: environment.logRetentionDays });
    const shared = { ...deletion, key, accessLogs, keepOldVersionsDays };
    this.lake = addDataBucket(this, "Lake", { ...shared, lifecycleRules: lakeRules(environment) });
    this.onFailure = addDataBucket(this, "OnFailure", shared);
    this.backups = addDataBucket(this, "Backups", { ...shared, lifecycleRules: backupRules });
    requirePutIfAbsent(this.lake, ["bronze/*", "silver/*/_delta_log/*.json", "quarantine/*/_delta_log/*.json"]);
    requirePutIfAbsent(this.backups, ["backups/*"]);
    announceNewObjects(this.onFailure);
  }
}

/**
 * Bronze is kept forever and moves to cheaper storage classes with age, if its objects have at least 128 KB: S3 keeps
 * smaller ones in Standard. Manifests and query results, which can be recreated, expire after a week.
 */
function lakeRules({ lake }: Environment): LifecycleRule[] {
  return [
    {
      id: "bronze-ages",
      prefix: "bronze/",
      transitions: [
        { storageClass: StorageClass.INFREQUENT_ACCESS, transitionAfter: Duration.days(lake.infrequentAfterDays) },
        { storageClass: StorageClass.GLACIER_INSTANT_RETRIEVAL, transitionAfter: Duration.days(lake.archiveAfterDays) },
      ],
    },
    { id: "manifests-expire", prefix: "manifests/", expiration: Duration.days(7) },
    { id: "athena-results-expire", prefix: "athena-results/", expiration: Duration.days(7) },
    { id: "lineage-expires", prefix: "lineage/", expiration: Duration.days(400) },
  ];
}

/**
 * Backups are deleted once a newer one is verified; database exports, which are not used for restores, expire by age.
 */
const backupRules: LifecycleRule[] = [{ id: "exports-expire", prefix: "exports/", expiration: Duration.days(35) }];

/**
 * Bronze objects, Delta commits and backups are written once: the bucket denies every put without If-None-Match. Parts
 * of a multipart upload cannot have the header, but its completion must.
 */
function requirePutIfAbsent(bucket: IBucket, patterns: string[]): void {
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

/** Sets the property directly: CDK's method deploys a function that may rewrite the notifications of every bucket. */
function announceNewObjects(bucket: IBucket): void {
  const resource = bucket.node.defaultChild as CfnBucket;
  resource.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };
}
