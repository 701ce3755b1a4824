import { Annotations, Stack, type StackProps } from "aws-cdk-lib";
import type { Construct } from "constructs";
import type { Environment } from "./config.ts";
import { FunctionFactory, type CodeSource } from "./constructs/function-factory.ts";
import { shareResources } from "./resources.ts";
import { BackupStage } from "./stages/backup.ts";
import { ExplorationStage } from "./stages/exploration.ts";
import { LandingStage } from "./stages/landing.ts";
import { LineageStage } from "./stages/lineage.ts";
import { MigrationsStage } from "./stages/migrations.ts";
import { addAlertTopic, MonitoringStage } from "./stages/monitoring.ts";
import { PublishingStage } from "./stages/publishing.ts";
import { ReceiptStage } from "./stages/receipt.ts";
import { RefiningStage } from "./stages/refining.ts";
import { SchedulesStage } from "./stages/schedules.ts";
import { WorkflowsStage } from "./stages/workflows.ts";
import { type StatefulStack, addOutputs } from "./stateful-stack.ts";
import type { WorkflowFile } from "./workflow-files.ts";

export interface StatelessStackProps extends StackProps {
  environment: Environment;
  stateful: StatefulStack;
  code: CodeSource;
  /** The files of `step-functions/`. */
  files: WorkflowFile[];
}

/** Functions, workflows, schedules and alarms: can be deleted and deployed again without losing data. */
export class StatelessStack extends Stack {
  constructor(scope: Construct, id: string, { environment, stateful, code, files, ...props }: StatelessStackProps) {
    super(scope, id, props);
    const { key, lake, onFailure, orders, secrets } = stateful;
    const alerts = addAlertTopic(this, { key, emails: environment.alarms.emails });
    const functions = new FunctionFactory(this, { environment, key, code });
    const shared = { environment, functions, resources: shareResources(environment, stateful) };

    const migrations = new MigrationsStage(this, "Migrations", { ...shared, secrets, key });
    const landing = new LandingStage(this, "Landing", {
      ...shared,
      streamArn: orders.streamArn,
      onFailureBucketArn: onFailure.bucketArn,
    });
    const refining = new RefiningStage(this, "Refining", shared);
    const publishing = new PublishingStage(this, "Publishing", shared);
    const receipt = new ReceiptStage(this, "Receipt", { ...shared, alerts });
    const backup = new BackupStage(this, "Backup", { ...shared, stateful });
    const { machines } = new WorkflowsStage(this, "Workflows", { environment, key, functions, files });
    migrations.before(refining, publishing, receipt, backup);
    const { recordLineage } = new LineageStage(this, "Lineage", { ...shared, stateful, machines });
    const { missedStarts, startWorkflow } = new SchedulesStage(this, "Schedules", { ...shared, files, machines });

    const { glueDatabase, warehouse } = stateful;
    if (environment.pipeline === "aws" && glueDatabase && warehouse && environment.warehouse.kind === "aurora") {
      const { workgroup } = new ExplorationStage(this, "Exploration", { environment, key, lake, glueDatabase });
      const { dashboardUrl } = new MonitoringStage(this, "Operations", {
        environment,
        alerts,
        landing: { stream: orders, landRecords: landing.landRecords, onFailure },
        workflows: {
          machines,
          missedStarts,
          others: { steady: [startWorkflow], rare: [recordLineage, functions.made.get("RotatePassword")!] },
        },
        cost: { cluster: warehouse.cluster, settings: environment.warehouse, workgroup },
      });
      addOutputs(this, { AthenaWorkgroup: workgroup, DashboardUrl: dashboardUrl });
      warnWithoutRecipients(this, environment);
    }

    addOutputs(this, {
      StateMachines: this.toJsonString(mapValues(machines, ({ stateMachineArn }) => stateMachineArn)),
      Functions: this.toJsonString(mapValues(functions.made, ({ functionName }) => functionName)),
      LandingMappingId: landing.mappingId,
      AlertTopicArn: alerts.topicArn,
    });
  }
}

function warnWithoutRecipients(scope: Construct, { name, alarms }: Environment): void {
  if (alarms.emails.length > 0) return;
  const message = `alarms of ${name} have no e-mail recipients: set them with -c alertEmails=ops@example.com`;
  Annotations.of(scope).addWarningV2("pizza-sales:nobody-is-told", message);
}

const mapValues = <Value>(map: ReadonlyMap<string, Value>, read: (value: Value) => string): Record<string, string> =>
  Object.fromEntries([...map].map(([name, value]) => [name, read(value)]));
