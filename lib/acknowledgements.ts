import { Validations, type Stack } from "aws-cdk-lib";
import type { IBucket } from "aws-cdk-lib/aws-s3";
import type { IConstruct } from "constructs";
import { failedBatches, silverLog } from "./resources.ts";
import type { StatefulStack } from "./stateful-stack.ts";
import type { StatelessStack } from "./stateless-stack.ts";

/** An acknowledged cdk-nag finding with its reason. */
export interface Acknowledgement {
  rule: string;
  /** Path of the construct, below its stack; empty for the whole stack. */
  path: string;
  reason: string;
}

const stateful: Acknowledgement[] = [
  {
    rule: "AwsSolutions-KDS3",
    path: "Orders",
    reason: "Unlike aws/kinesis, the project's own key can be audited and revoked; its requests cost cents.",
  },
  {
    rule: "AwsSolutions-SMG4",
    path: "Secrets/Reader",
    reason: "Rotated every 30 days: the rotation schedule is in the stateless stack, which the rule does not see.",
  },
  {
    rule: "AwsSolutions-SMG4",
    path: "Secrets/Writer",
    reason: "Rotated every 30 days: the rotation schedule is in the stateless stack, which the rule does not see.",
  },
  {
    rule: "AwsSolutions-SMG4",
    path: "Secrets/CustomerKey",
    reason: "Customer keys are derived from it: a new value would give every customer a new key.",
  },
];

/** Only for an environment whose data may be deleted. */
const deletable: Acknowledgement[] = [
  {
    rule: "AwsSolutions-RDS10",
    path: "Warehouse/Cluster",
    reason: "The environment's data was made deletable explicitly, with the context setting deleteData.",
  },
];

const stateless: Acknowledgement[] = [
  {
    rule: "AwsSolutions-IAM5[Resource::*]",
    path: "Tracing",
    reason: "X-Ray actions do not support resource-level permissions.",
  },
  {
    rule: "AwsSolutions-IAM5[Resource::*]",
    path: "Workflows/Observation",
    reason: "X-Ray and log delivery actions do not support resource-level permissions.",
  },
  {
    rule: "AwsSolutions-SQS3",
    path: "Schedules/MissedStarts",
    reason:
      "It is the dead-letter queue of the schedules and of StartWorkflow, and has an alarm; the rule recognizes only dead-letter queues of other queues.",
  },
  {
    rule: "Serverless-SQSRedrivePolicy",
    path: "Schedules/MissedStarts",
    reason: "It is a dead-letter queue itself.",
  },
  {
    rule: "Serverless-EventBusDLQ",
    path: "Operations/BatchGivenUp",
    reason: "A lost message does no harm: the alarm on the same rule also reports the batch.",
  },
  {
    rule: "Serverless-EventBusDLQ",
    path: "Lineage/Runs",
    reason:
      "EventBridge delivers these events on a best-effort basis anyway; Step Functions keeps the history of every run.",
  },
  {
    rule: "Serverless-SNSRedrivePolicy",
    path: "Alerts",
    reason: "A queue of undelivered e-mails would not be read; CloudWatch keeps the state and history of every alarm.",
  },
  ...withoutQueue(
    [
      "Refining/RefineSilver",
      "Refining/PublishQuarantine",
      "Refining/CompactSilver",
      "Landing/RedriveLanding",
      ...["PlanWindows", "PublishWindows", "PublishCustomers", "ReportWindows"].map((name) => `Publishing/${name}`),
      "Receipt/VerifyReceipt",
      ...["BackUpWarehouse", "VerifyBackup", "SnapshotDatabase"].map((name) => `Backup/${name}`),
      "Receipt/CheckQuality",
    ],
    "A state machine invokes it synchronously and retries it; a failed run raises an alarm.",
  ),
  ...withoutQueue(["Backup/RestoreBackup"], "A user invokes it synchronously."),
  ...withoutQueue(
    ["Landing/LandRecords"],
    "The event source mapping invokes it synchronously and sends failed batches to the on-failure bucket.",
  ),
  ...withoutQueue(
    ["Schedules/StartWorkflow"],
    "Failed events go to MissedStarts through its event invoke configuration, which the rule does not see.",
  ),
  ...withoutQueue(
    ["Lineage/RecordLineage"],
    "Lambda retries it twice and failures raise an alarm; Step Functions keeps the history of an unrecorded run.",
  ),
  ...withoutQueue(
    ["Migrations/MigrateWarehouse"],
    "The deployment invokes it synchronously and rolls back if it fails.",
  ),
  ...withoutQueue(
    ["Migrations/RotatePassword"],
    "Secrets Manager retries a failed rotation from its first step; failures raise an alarm.",
  ),
];

function withoutQueue(paths: string[], reason: string): Acknowledgement[] {
  return paths.map((path) => ({ rule: "Serverless-LambdaDLQ", path, reason }));
}

/** Object keys are not known at deployment, so permissions on objects are permissions on prefixes. */
const prefixes = {
  lake: ["bronze/*", "silver/*", "quarantine/*", "manifests/*", "athena-results/*", "lineage/*", silverLog],
  onFailure: failedBatches,
  backups: ["backups/*", "exports/*"],
};

/** All acknowledgements of both stacks. */
export function acknowledgements(stacks: { stateful: StatefulStack; stateless: StatelessStack }) {
  const { lake, onFailure, backups } = stacks.stateful;
  return {
    stateful: stacks.stateful.terminationProtection ? stateful : [...stateful, ...deletable],
    stateless: [
      ...stateless,
      ...snapshots(stacks.stateful),
      ...below(stacks.stateful, lake, prefixes.lake),
      ...below(stacks.stateful, onFailure, prefixes.onFailure),
      ...below(stacks.stateful, backups, prefixes.backups),
    ],
  };
}

/** Snapshot and export permissions, if the environment has a cluster. */
function snapshots({ warehouse }: StatefulStack): Acknowledgement[] {
  if (warehouse === undefined) return [];
  const path = "Backup/SnapshotDatabaseRole";
  const named = (snapshot: string) =>
    `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:rds:<AWS::Region>:<AWS::AccountId>:cluster-snapshot:${snapshot}]`;
  const listed = "Snapshots are found by listing; only backup snapshots may be created or deleted.";
  const exported = "RDS actions on export tasks do not support resource-level permissions.";
  return [
    { rule: "AwsSolutions-IAM5[Resource::*]", path, reason: exported },
    {
      rule: "Serverless-LambdaStarPermissions",
      path,
      reason: exported,
    },
    ...["Put", "Get", "Delete"].map((verb) => ({
      rule: `AwsSolutions-IAM5[Action::s3:${verb}Object*]`,
      path: "Backup/ExportRole",
      reason: "AWS documents these actions for the role of a snapshot export; it has them below exports/ only.",
    })),
    { rule: named("*"), path, reason: listed },
    {
      rule: named(`${warehouse.clusterName}-backup-*`),
      path,
      reason: "Each backup names its snapshot at run time.",
    },
  ];
}

/** Adds the acknowledgements to the constructs that the environment has. */
export function acknowledge(stacks: { stateful: StatefulStack; stateless: StatelessStack }): void {
  const all = acknowledgements(stacks);
  for (const name of ["stateful", "stateless"] as const) {
    for (const { rule: id, path, reason } of all[name]) {
      const construct = find(stacks[name], path);
      if (construct) Validations.of(construct).acknowledge({ id, reason });
    }
  }
}

/** Findings refer to a bucket by the export name of the stateful stack, as the template does. */
function below(owner: Stack, bucket: IBucket, patterns: string[]): Acknowledgement[] {
  const imported = owner.resolve(owner.exportValue(bucket.bucketArn)) as { "Fn::ImportValue": string };
  return patterns.map((pattern) => ({
    rule: `AwsSolutions-IAM5[Resource::${imported["Fn::ImportValue"]}/${pattern}]`,
    path: "",
    reason: `Objects below ${pattern} are created at run time; only the functions that use them have access.`,
  }));
}

const find = (stack: IConstruct, path: string): IConstruct | undefined =>
  path
    .split("/")
    .filter(Boolean)
    .reduce<IConstruct | undefined>((construct, id) => construct?.node.tryFindChild(id), stack);
