import { Validations, type Stack } from "aws-cdk-lib";
import type { IBucket } from "aws-cdk-lib/aws-s3";
import type { IConstruct } from "constructs";
import { failedBatches, silverLog } from "./resources.ts";
import type { StatefulStack } from "./stateful-stack.ts";
import type { StatelessStack } from "./stateless-stack.ts";

/** A finding of cdk-nag that stays: on what, which, and why a reviewer may agree. */
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
    reason: "The project's own key can be watched and taken away, which aws/kinesis cannot; its requests cost cents.",
  },
  {
    rule: "AwsSolutions-SMG4",
    path: "Secrets/Reader",
    reason: "Rotated every 30 days: the schedule is in the stateless stack, where the rule does not look.",
  },
  {
    rule: "AwsSolutions-SMG4",
    path: "Secrets/Writer",
    reason: "Rotated every 30 days: the schedule is in the stateless stack, where the rule does not look.",
  },
  {
    rule: "AwsSolutions-SMG4",
    path: "Secrets/CustomerKey",
    reason: "Customer tokens are made with it: another value would make every customer a new one.",
  },
];

/** Only while somebody has said that the data may go. */
const going: Acknowledgement[] = [
  {
    rule: "AwsSolutions-RDS10",
    path: "Warehouse/Cluster",
    reason: "Somebody has asked for the environment's data to be removable, by its name.",
  },
];

const stateless: Acknowledgement[] = [
  { rule: "AwsSolutions-IAM5[Resource::*]", path: "Tracing", reason: "X-Ray's actions have no resource to name." },
  {
    rule: "AwsSolutions-IAM5[Resource::*]",
    path: "Workflows/Observation",
    reason: "The actions of X-Ray and of log delivery have no resource to name.",
  },
  {
    rule: "AwsSolutions-SQS3",
    path: "Schedules/MissedStarts",
    reason:
      "It is where the schedules and StartWorkflow put what failed, and has an alarm; the rule knows the dead-letter queues of other queues only.",
  },
  {
    rule: "Serverless-SQSRedrivePolicy",
    path: "Schedules/MissedStarts",
    reason: "It is a dead-letter queue itself.",
  },
  {
    rule: "Serverless-EventBusDLQ",
    path: "Operations/BatchGivenUp",
    reason: "A message that gets lost is not missed: the alarm on the same rule tells of the batch too.",
  },
  {
    rule: "Serverless-EventBusDLQ",
    path: "Lineage/Runs",
    reason: "EventBridge hears of runs as best it can anyway; Step Functions keeps every run, with all that it did.",
  },
  {
    rule: "Serverless-SNSRedrivePolicy",
    path: "Alerts",
    reason: "Nobody would read a queue of mails that did not arrive; CloudWatch keeps every alarm's state and history.",
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
    "A state machine waits for its answer and calls it again; a run that fails has an alarm.",
  ),
  ...withoutQueue(["Backup/RestoreBackup"], "A person calls it and waits for its answer."),
  ...withoutQueue(
    ["Landing/LandRecords"],
    "The event source mapping waits for its answer, and puts what fails for good in the on-failure bucket.",
  ),
  ...withoutQueue(
    ["Schedules/StartWorkflow"],
    "What it fails at goes to MissedStarts by its event invoke configuration, where the rule does not look.",
  ),
  ...withoutQueue(
    ["Lineage/RecordLineage"],
    "Lambda calls it twice more, and its failures have an alarm; Step Functions keeps the run that it did not record.",
  ),
  ...withoutQueue(
    ["Migrations/MigrateWarehouse"],
    "The deployment waits for its answer, and rolls back where it fails.",
  ),
  ...withoutQueue(
    ["Migrations/RotatePassword"],
    "Secrets Manager takes up a rotation that has failed again, from its first step; failures have an alarm.",
  ),
];

function withoutQueue(paths: string[], reason: string): Acknowledgement[] {
  return paths.map((path) => ({ rule: "Serverless-LambdaDLQ", path, reason }));
}

/** Objects have names that nobody knows beforehand: a right on objects is a right on a prefix. */
const prefixes = {
  lake: ["bronze/*", "silver/*", "quarantine/*", "manifests/*", "athena-results/*", "lineage/*", silverLog],
  onFailure: failedBatches,
  backups: ["backups/*", "exports/*"],
};

/** All acknowledgements of both stacks. */
export function acknowledgements(stacks: { stateful: StatefulStack; stateless: StatelessStack }) {
  const { lake, onFailure, backups } = stacks.stateful;
  return {
    stateful: stacks.stateful.terminationProtection ? stateful : [...stateful, ...going],
    stateless: [
      ...stateless,
      ...snapshots(stacks.stateful),
      ...below(stacks.stateful, lake, prefixes.lake),
      ...below(stacks.stateful, onFailure, prefixes.onFailure),
      ...below(stacks.stateful, backups, prefixes.backups),
    ],
  };
}

/** Where there is a cluster: what finds, makes and removes its snapshots, and exports them. */
function snapshots({ warehouse }: StatefulStack): Acknowledgement[] {
  if (warehouse === undefined) return [];
  const path = "Backup/SnapshotDatabaseRole";
  const named = (snapshot: string) =>
    `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:rds:<AWS::Region>:<AWS::AccountId>:cluster-snapshot:${snapshot}]`;
  const listed = "Snapshots are found by listing; only those of backups may be made or removed.";
  return [
    { rule: "AwsSolutions-IAM5[Resource::*]", path, reason: "RDS's actions on export tasks have no resource to name." },
    {
      rule: "Serverless-LambdaStarPermissions",
      path,
      reason: "RDS's actions on export tasks have no resource to name.",
    },
    { rule: named("*"), path, reason: listed },
    {
      rule: named(`${warehouse.clusterName}-backup-*`),
      path,
      reason: "Each backup names its snapshot when it is made.",
    },
  ];
}

/** Writes them onto the constructs that the environment has. */
export function acknowledge(stacks: { stateful: StatefulStack; stateless: StatelessStack }): void {
  const all = acknowledgements(stacks);
  for (const name of ["stateful", "stateless"] as const) {
    for (const { rule: id, path, reason } of all[name]) {
      const construct = find(stacks[name], path);
      if (construct) Validations.of(construct).acknowledge({ id, reason });
    }
  }
}

/** A finding names the bucket as the template does: by the name under which the stateful stack exports it. */
function below(owner: Stack, bucket: IBucket, patterns: string[]): Acknowledgement[] {
  const imported = owner.resolve(owner.exportValue(bucket.bucketArn)) as { "Fn::ImportValue": string };
  return patterns.map((pattern) => ({
    rule: `AwsSolutions-IAM5[Resource::${imported["Fn::ImportValue"]}/${pattern}]`,
    path: "",
    reason: `Objects below ${pattern} are made at run time; only the functions that work with them have a right to them.`,
  }));
}

const find = (stack: IConstruct, path: string): IConstruct | undefined =>
  path
    .split("/")
    .filter(Boolean)
    .reduce<IConstruct | undefined>((construct, id) => construct?.node.tryFindChild(id), stack);
