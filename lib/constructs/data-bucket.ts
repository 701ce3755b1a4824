import { Duration, type RemovalPolicy } from "aws-cdk-lib";
import type { IKey } from "aws-cdk-lib/aws-kms";
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  ObjectOwnership,
  type IBucket,
  type LifecycleRule,
} from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";

export interface DataBucketProps {
  key: IKey;
  /** Bucket of the access logs. */
  accessLogs: IBucket;
  removalPolicy: RemovalPolicy;
  /** Empties the bucket before deletion: CloudFormation deletes only empty buckets. */
  isEmptied: boolean;
  /** How long overwritten and deleted objects can be recovered. */
  keepOldVersionsDays: number;
  lifecycleRules?: LifecycleRule[];
}

/** A data bucket: KMS-encrypted, versioned, never public, TLS only; incomplete uploads are aborted. */
export function addDataBucket(scope: Construct, id: string, props: DataBucketProps): IBucket {
  const { key, accessLogs, keepOldVersionsDays, lifecycleRules = [] } = props;
  return new Bucket(scope, id, {
    ...shared(props),
    encryption: BucketEncryption.KMS,
    encryptionKey: key,
    bucketKeyEnabled: true,
    serverAccessLogsBucket: accessLogs,
    serverAccessLogsPrefix: `${id.toLowerCase()}/`,
    lifecycleRules: [housekeeping(keepOldVersionsDays), ...lifecycleRules],
  }) as IBucket;
}

/** The access log bucket. S3 delivers access logs only with SSE-S3, so it cannot use the project's key. */
export function addLogBucket(
  scope: Construct,
  id: string,
  { keepDays, ...props }: { keepDays: number } & Pick<DataBucketProps, "removalPolicy" | "isEmptied">,
): IBucket {
  return new Bucket(scope, id, {
    ...shared(props),
    encryption: BucketEncryption.S3_MANAGED,
    lifecycleRules: [housekeeping(7), { id: "expire", expiration: Duration.days(keepDays) }],
  }) as IBucket;
}

const shared = ({ removalPolicy, isEmptied }: Pick<DataBucketProps, "removalPolicy" | "isEmptied">) => ({
  versioned: true,
  enforceSSL: true,
  minimumTLSVersion: 1.2,
  blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
  objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
  removalPolicy,
  autoDeleteObjects: isEmptied,
});

const housekeeping = (keepDays: number): LifecycleRule => ({
  id: "housekeeping",
  abortIncompleteMultipartUploadAfter: Duration.days(1),
  noncurrentVersionExpiration: Duration.days(keepDays),
  expiredObjectDeleteMarker: true,
});
