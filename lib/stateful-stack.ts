import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from "aws-cdk-lib";
import { Stream, StreamEncryption, StreamMode, type IStream } from "aws-cdk-lib/aws-kinesis";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { IBucket } from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";
import type { Environment } from "./config.ts";
import { addEncryptionKey } from "./constructs/encryption-key.ts";
import { GlueTables } from "./constructs/glue-tables.ts";
import { LakeBuckets } from "./constructs/lake-buckets.ts";
import { SecretVault } from "./constructs/secrets.ts";
import { WarehouseCluster } from "./constructs/warehouse-cluster.ts";

/** Resources that must survive a redeployment: key, lake, stream, warehouse and secrets. */
export class StatefulStack extends Stack {
  readonly key: IKey;
  readonly lake: IBucket;
  readonly onFailure: IBucket;
  readonly backups: IBucket;
  readonly orders: IStream;
  readonly secrets: SecretVault;
  /** Only in environments with Glue and Athena. */
  readonly glueDatabase?: string;
  /** Only in environments with Aurora. */
  readonly warehouse?: WarehouseCluster;

  constructor(scope: Construct, id: string, { environment, ...props }: StackProps & { environment: Environment }) {
    super(scope, id, { ...props, terminationProtection: environment.keepsData });
    // A failed first deployment deletes what it created; after that, the resources are always retained.
    const removalPolicy = environment.keepsData ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY;
    const key = addEncryptionKey(this, { removalPolicy });
    const shared = { environment, key, removalPolicy };
    const { lake, onFailure, backups } = new LakeBuckets(this, "Buckets", shared);
    this.key = key;
    this.lake = lake;
    this.onFailure = onFailure;
    this.backups = backups;
    this.orders = addOrderStream(this, shared);
    this.secrets = new SecretVault(this, "Secrets", shared);
    addOutputs(this, {
      LakeBucket: lake.bucketName,
      OnFailureBucket: onFailure.bucketName,
      BackupBucket: backups.bucketName,
      StreamName: this.orders.streamName,
      StreamArn: this.orders.streamArn,
      KeyArn: this.key.keyArn,
      ReaderSecretArn: this.secrets.reader.secretArn,
      WriterSecretArn: this.secrets.writer.secretArn,
      CustomerKeySecretArn: this.secrets.customerKey.secretArn,
    });
    if (environment.pipeline === "aws") this.glueDatabase = this.addGlue(environment);
    const { warehouse: settings } = environment;
    if (settings.kind === "aurora") this.warehouse = this.addWarehouse({ ...shared, settings });
    else addOutputs(this, { DatabaseUrl: settings.databaseUrl });
  }

  private addGlue(environment: Environment): string {
    const { databaseName } = new GlueTables(this, "Glue", { environment, lake: this.lake });
    addOutputs(this, { GlueDatabase: databaseName });
    return databaseName;
  }

  private addWarehouse(props: ConstructorParameters<typeof WarehouseCluster>[2]): WarehouseCluster {
    const warehouse = new WarehouseCluster(this, "Warehouse", props);
    const { cluster, vpc, access, clients, databaseName } = warehouse;
    addOutputs(this, {
      ClusterArn: cluster.clusterArn,
      DatabaseHost: cluster.clusterEndpoint.hostname,
      DatabaseReaderHost: cluster.clusterReadEndpoint.hostname,
      DatabasePort: cluster.clusterEndpoint.port.toString(),
      DatabaseName: databaseName,
      OwnerSecretArn: warehouse.ownerSecret.secretArn,
      WarehouseNetwork: vpc.vpcId,
      WarehouseSubnets: vpc.isolatedSubnets.map(({ subnetId }) => subnetId).join(","),
      WarehouseAccess: access.securityGroupId,
      WarehouseClients: clients.securityGroupId,
    });
    return warehouse;
  }
}

/** The stream that the tills write to. */
function addOrderStream(
  scope: Construct,
  { environment, key, removalPolicy }: { environment: Environment; key: IKey; removalPolicy: RemovalPolicy },
): Stream {
  const { shards, retentionHours } = environment.stream;
  return new Stream(scope, "Orders", {
    ...(shards === "on-demand"
      ? { streamMode: StreamMode.ON_DEMAND }
      : { streamMode: StreamMode.PROVISIONED, shardCount: shards }),
    retentionPeriod: Duration.seconds(retentionHours * 3_600),
    encryption: StreamEncryption.KMS,
    encryptionKey: key,
    removalPolicy,
  });
}

/** Adds stack outputs, from which the command line finds the deployed resources. */
export const addOutputs = (stack: Stack, values: Record<string, string>): CfnOutput[] =>
  Object.entries(values).map(([id, value]) => new CfnOutput(stack, id, { value }));
