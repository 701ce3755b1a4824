import type { RemovalPolicy } from "aws-cdk-lib";
import { Stream, StreamEncryption, StreamMode } from "aws-cdk-lib/aws-kinesis";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { Construct } from "constructs";
import type { Environment } from "../config.ts";
import { seconds } from "./time.ts";

/** The stream that the tills write to. */
export function addOrderStream(
  scope: Construct,
  { environment, key, removalPolicy }: { environment: Environment; key: IKey; removalPolicy: RemovalPolicy },
): Stream {
  const { shards, retentionHours } = environment.stream;
  return new Stream(scope, "Orders", {
    ...(shards === "on-demand"
      ? { streamMode: StreamMode.ON_DEMAND }
      : { streamMode: StreamMode.PROVISIONED, shardCount: shards }),
    retentionPeriod: seconds(retentionHours * 3_600),
    encryption: StreamEncryption.KMS,
    encryptionKey: key,
    removalPolicy,
  });
}
