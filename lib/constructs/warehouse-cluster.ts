import { Duration, type RemovalPolicy } from "aws-cdk-lib";
import {
  FlowLogDestination,
  FlowLogTrafficType,
  IpAddresses,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
  type IVpc,
} from "aws-cdk-lib/aws-ec2";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { LogGroup, type RetentionDays } from "aws-cdk-lib/aws-logs";
import {
  AuroraPostgresEngineVersion,
  CfnDBInstance,
  CfnDBSubnetGroup,
  ClusterInstance,
  Credentials,
  DatabaseCluster,
  DatabaseClusterEngine,
  ParameterGroup,
} from "aws-cdk-lib/aws-rds";
import type { ISecret } from "aws-cdk-lib/aws-secretsmanager";
import { Construct } from "constructs";
import type { AuroraSettings, Environment } from "../config.ts";

const majorVersion = "17";

export interface WarehouseClusterProps {
  environment: Environment;
  settings: AuroraSettings;
  key: IKey;
  removalPolicy: RemovalPolicy;
}

/**
 * Aurora PostgreSQL Serverless v2 in isolated subnets. The pipeline uses the Data API; the gateway of a BI tool inside
 * the VPC joins the security group `clients`.
 */
export class WarehouseCluster extends Construct {
  readonly cluster: DatabaseCluster;
  /** The cluster's identifier, as a literal rather than a token. */
  readonly clusterName: string;
  /** Login of the owner, created and rotated by RDS. */
  readonly ownerSecret: ISecret;
  /** Of the database itself. */
  readonly access: SecurityGroup;
  /** Members may open connections to the database. */
  readonly clients: SecurityGroup;
  readonly vpc: IVpc;
  readonly databaseName = "pizza";

  constructor(scope: Construct, id: string, props: WarehouseClusterProps) {
    super(scope, id);
    this.clusterName = `pizza-sales-${props.environment.name}`;
    this.vpc = addNetwork(this, props);
    this.access = new SecurityGroup(this, "Access", { vpc: this.vpc, allowAllOutbound: false });
    this.clients = new SecurityGroup(this, "Clients", {
      vpc: this.vpc,
      allowAllOutbound: false,
      description: "Members may open connections to the warehouse",
    });
    this.cluster = this.addCluster(props, this.access);
    this.cluster.connections.allowDefaultPortFrom(this.clients, "Gateways of BI tools");
    // Required by QuickSight, whose network interfaces do not admit return traffic automatically.
    this.clients.addIngressRule(this.access, Port.allTcp(), "Answers of the warehouse to QuickSight");
    this.ownerSecret = this.cluster.secret!;
  }

  private addCluster({ environment, settings, key, removalPolicy }: WarehouseClusterProps, access: SecurityGroup) {
    // Without a minor version RDS chooses it, and upgrades it in the maintenance window. A pinned one would make the next
    // deployment fail: it would be a downgrade.
    const version = AuroraPostgresEngineVersion.of(majorVersion, majorVersion);
    const engine = DatabaseClusterEngine.auroraPostgres({ version });
    const { minAcu, maxAcu, autoPauseSeconds, standbys, backupDays } = settings;
    const clusterIdentifier = this.clusterName;
    const cluster = new DatabaseCluster(this, "Cluster", {
      engine,
      clusterIdentifier,
      vpc: this.vpc,
      vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED },
      securityGroups: [access],
      writer: ClusterInstance.serverlessV2("Writer"),
      readers: Array.from({ length: standbys }, (_, index) =>
        ClusterInstance.serverlessV2(`Standby${index + 1}`, { scaleWithWriter: true }),
      ),
      serverlessV2MinCapacity: minAcu,
      serverlessV2MaxCapacity: maxAcu,
      ...(autoPauseSeconds === 0 ? {} : { serverlessV2AutoPauseDuration: Duration.seconds(autoPauseSeconds) }),
      defaultDatabaseName: this.databaseName,
      credentials: Credentials.fromUsername("pizza_owner", { encryptionKey: key }),
      manageMasterUserPassword: true,
      enableDataApi: true,
      iamAuthentication: true,
      storageEncryptionKey: key,
      backup: { retention: Duration.days(backupDays), preferredWindow: "02:00-03:00" },
      preferredMaintenanceWindow: "sun:03:30-sun:04:30",
      copyTagsToSnapshot: true,
      parameterGroup: tlsOnly(this, engine),
      cloudwatchLogsExports: ["postgresql"],
      deletionProtection: environment.keepsData,
      removalPolicy,
    });
    keepWhole(cluster, removalPolicy);
    cluster.node.addDependency(addDatabaseLog(this, { clusterIdentifier, environment, key, removalPolicy }));
    return cluster;
  }
}

/** CDK retains a cluster without its instances, which would make its data unreachable. */
function keepWhole(cluster: DatabaseCluster, removalPolicy: RemovalPolicy): void {
  for (const part of cluster.node.findAll()) {
    if (part instanceof CfnDBInstance || part instanceof CfnDBSubnetGroup) part.applyRemovalPolicy(removalPolicy);
  }
}

/** A VPC over two availability zones without internet gateway or NAT. */
function addNetwork(scope: Construct, { environment, settings, key, removalPolicy }: WarehouseClusterProps): IVpc {
  const logGroup = new LogGroup(scope, "FlowLogs", {
    encryptionKey: key,
    retention: environment.logRetentionDays as RetentionDays,
    removalPolicy,
  });
  return new Vpc(scope, "Network", {
    ipAddresses: IpAddresses.cidr(settings.networkCidr),
    maxAzs: 2,
    natGateways: 0,
    subnetConfiguration: [{ name: "Warehouse", subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 26 }],
    restrictDefaultSecurityGroup: false,
    flowLogs: {
      All: { destination: FlowLogDestination.toCloudWatchLogs(logGroup), trafficType: FlowLogTrafficType.ALL },
    },
  }) as IVpc;
}

const tlsOnly = (scope: Construct, engine: ReturnType<typeof DatabaseClusterEngine.auroraPostgres>) =>
  new ParameterGroup(scope, "Parameters", {
    engine,
    description: "TLS only",
    parameters: { "rds.force_ssl": "1" },
  });

/**
 * Unless the log group exists, RDS creates it without encryption and retention. Its name contains the cluster's name,
 * so the cluster has a fixed one.
 */
function addDatabaseLog(
  scope: Construct,
  props: Pick<WarehouseClusterProps, "environment" | "key" | "removalPolicy"> & { clusterIdentifier: string },
): LogGroup {
  return new LogGroup(scope, "DatabaseLog", {
    logGroupName: `/aws/rds/cluster/${props.clusterIdentifier}/postgresql`,
    encryptionKey: props.key,
    retention: props.environment.logRetentionDays as RetentionDays,
    removalPolicy: props.removalPolicy,
  });
}
