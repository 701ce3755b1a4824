import type { RemovalPolicy } from "aws-cdk-lib";
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
import { days } from "./time.ts";

export interface DataBucketProps {
  key: IKey;
  /** Where who read and wrote what is written down. */
  accessLogs: IBucket;
  removalPolicy: RemovalPolicy;
  /** A bucket that may go is emptied first; CloudFormation removes no other. */
  isEmptied: boolean;
  /** Overwritten and deleted objects can be had back this long. */
  keepOldVersionsDays: number;
  lifecycleRules?: LifecycleRule[];
}

/** A bucket for data: encrypted with the key, versioned, never public, TLS only, and clean of uploads nobody finished. */
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

/** The bucket of access logs. S3 delivers them under its own key only, so this one cannot use the project's. */
export function addLogBucket(
  scope: Construct,
  id: string,
  { keepDays, ...props }: { keepDays: number } & Pick<DataBucketProps, "removalPolicy" | "isEmptied">,
): IBucket {
  return new Bucket(scope, id, {
    ...shared(props),
    encryption: BucketEncryption.S3_MANAGED,
    lifecycleRules: [housekeeping(7), { id: "expire", expiration: days(keepDays) }],
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
  abortIncompleteMultipartUploadAfter: days(1),
  noncurrentVersionExpiration: days(keepDays),
  expiredObjectDeleteMarker: true,
});
