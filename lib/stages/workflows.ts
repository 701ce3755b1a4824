import { ManagedPolicy } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { StateMachine } from "aws-cdk-lib/aws-stepfunctions";
import { Construct } from "constructs";
import { allow } from "../access.ts";
import type { Environment } from "../config.ts";
import type { FunctionFactory } from "../constructs/function-factory.ts";
import { addWorkflow } from "../constructs/workflow.ts";
import type { WorkflowFile } from "../workflow-files.ts";

export interface WorkflowsProps {
  environment: Environment;
  key: IKey;
  functions: FunctionFactory;
  files: WorkflowFile[];
}

/** A state machine for each file in `step-functions/`. */
export class WorkflowsStage extends Construct {
  /** State machines by file name. */
  readonly machines: ReadonlyMap<string, StateMachine>;

  constructor(scope: Construct, id: string, { functions, files, ...shared }: WorkflowsProps) {
    super(scope, id);
    const observation = new ManagedPolicy(this, "Observation", {
      description: "Delivers the state machines' logs and traces; neither has a resource to name",
      statements: [allow([...logDelivery, ...tracing], ["*"])],
    });
    this.machines = new Map(
      files.map((workflow) => [
        workflow.name,
        addWorkflow(this, { ...shared, workflow, functions: functions.made, observation }),
      ]),
    );
  }
}

const logDelivery = [
  "CreateLogDelivery",
  "GetLogDelivery",
  "UpdateLogDelivery",
  "DeleteLogDelivery",
  "ListLogDeliveries",
  "PutResourcePolicy",
  "DescribeResourcePolicies",
  "DescribeLogGroups",
].map((action) => `logs:${action}`);

const tracing = ["PutTraceSegments", "PutTelemetryRecords", "GetSamplingRules", "GetSamplingTargets"].map(
  (action) => `xray:${action}`,
);
