import { Aws, Duration } from "aws-cdk-lib";
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Construct } from "constructs";
import { allow, useKey, type Permission } from "../access.ts";
import type { FunctionFactory } from "../constructs/function-factory.ts";
import type { WarehouseCluster } from "../constructs/warehouse-cluster.ts";
import type { Resources } from "../resources.ts";
import type { StatefulStack } from "../stateful-stack.ts";

export interface BackupProps {
  functions: FunctionFactory;
  resources: Resources;
  stateful: StatefulStack;
}

const backups = "backups/*";
const silver = { reads: ["silver/*"] };
/** An existing PostgreSQL has no RDS snapshots. */
const noSnapshots: Permission = { variables: { WAREHOUSE: "postgres" }, statements: [] };

/**
 * What StartExportTask requires of its caller on the key of the export (AWS, "Exporting DB cluster snapshot data to
 * Amazon S3"). RDS creates a grant on the caller's behalf; nobody else may be given one.
 */
const exportKeyAccess = (keyArn: string): PolicyStatement[] => [
  allow(
    [
      "kms:Encrypt",
      "kms:Decrypt",
      "kms:GenerateDataKey",
      "kms:GenerateDataKeyWithoutPlaintext",
      "kms:ReEncryptFrom",
      "kms:ReEncryptTo",
      "kms:DescribeKey",
      "kms:RetireGrant",
    ],
    [keyArn],
  ),
  new PolicyStatement({
    actions: ["kms:CreateGrant"],
    resources: [keyArn],
    conditions: { Bool: { "kms:GrantIsForAWSResource": "true" } },
  }),
];

/** Verified backups of the warehouse in a separate bucket, and their restore. */
export class BackupStage extends Construct {
  constructor(scope: Construct, id: string, { functions, resources, stateful }: BackupProps) {
    super(scope, id);
    const shared = { memoryMegabytes: 1_769, timeout: Duration.minutes(15), reservedConcurrency: 1 };
    functions.create(this, "BackUpWarehouse", {
      description: "Copies gold and the ledgers to the backup bucket in one snapshot",
      ...shared,
      access: [
        resources.lake(silver),
        resources.backups({ reads: [backups], writes: [backups] }),
        resources.warehouseTransactions("writer"),
      ],
    });
    functions.create(this, "VerifyBackup", {
      description: "Verifies a backup with a test restore and deletes old backups",
      ...shared,
      access: [
        resources.backups({ reads: [backups], writes: [backups], removes: [backups] }),
        resources.warehouseTransactions("owner"),
      ],
    });
    functions.create(this, "SnapshotDatabase", {
      description: "Advances the database snapshot and its export by one step",
      memoryMegabytes: 512,
      timeout: Duration.minutes(3),
      access: [stateful.warehouse === undefined ? noSnapshots : this.snapshots(stateful, stateful.warehouse)],
    });
    functions.create(this, "RestoreBackup", {
      description: "Restores a backup into an empty warehouse; invoked manually",
      ...shared,
      access: [
        resources.lake(silver),
        resources.backups({ reads: [backups] }),
        resources.warehouseTransactions("owner"),
      ],
    });
  }

  private snapshots(
    { key, backups: bucket }: StatefulStack,
    { cluster, clusterName, databaseName }: WarehouseCluster,
  ): Permission {
    const exportRole = this.addExportRole({ key, backups: bucket });
    const snapshots = (name: string) =>
      `arn:${Aws.PARTITION}:rds:${Aws.REGION}:${Aws.ACCOUNT_ID}:cluster-snapshot:${name}`;
    const own = snapshots(`${clusterName}-backup-*`);
    return {
      variables: {
        WAREHOUSE: "data-api",
        CLUSTER_ARN: cluster.clusterArn,
        DATABASE_NAME: databaseName,
        BACKUP_BUCKET: bucket.bucketName,
        EXPORT_ROLE_ARN: exportRole.roleArn,
        KEY_ARN: key.keyArn,
      },
      statements: [
        allow(["rds:CreateDBClusterSnapshot"], [cluster.clusterArn, own]),
        // A snapshot inherits the cluster's tags, which requires permission to add tags.
        allow(["rds:AddTagsToResource", "rds:DeleteDBClusterSnapshot"], [own]),
        allow(["rds:DescribeDBClusterSnapshots"], [cluster.clusterArn, snapshots("*")]),
        allow(["rds:StartExportTask", "rds:DescribeExportTasks"], ["*"]),
        new PolicyStatement({
          actions: ["iam:PassRole"],
          resources: [exportRole.roleArn],
          conditions: { StringEquals: { "iam:PassedToService": "export.rds.amazonaws.com" } },
        }),
        ...exportKeyAccess(key.keyArn),
      ],
    };
  }

  /**
   * Role that RDS assumes to write exports. It has no condition on the source account: AWS's example has none, and it
   * is not documented that an export sends it. Only principals that may pass the role can use it, and only within its
   * account.
   */
  private addExportRole({ key, backups: bucket }: Pick<StatefulStack, "key" | "backups">): Role {
    const statements = [
      allow(["s3:ListBucket", "s3:GetBucketLocation"], [bucket.bucketArn]),
      allow(["s3:PutObject*", "s3:GetObject*", "s3:DeleteObject*"], [bucket.arnForObjects("exports/*")]),
      useKey(key, "s3", ["kms:Decrypt", "kms:GenerateDataKey"]),
    ];
    return new Role(this, "ExportRole", {
      assumedBy: new ServicePrincipal("export.rds.amazonaws.com"),
      description: "Writes exports of the database to the backup bucket",
      inlinePolicies: { Export: new PolicyDocument({ statements }) },
    });
  }
}
