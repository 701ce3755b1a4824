import { Duration, Stack } from "aws-cdk-lib";
import { PolicyDocument, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { CfnEventInvokeConfig, type Function } from "aws-cdk-lib/aws-lambda";
import { CfnSchedule } from "aws-cdk-lib/aws-scheduler";
import { Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import type { IStateMachine } from "aws-cdk-lib/aws-stepfunctions";
import { Construct } from "constructs";
import { allow } from "../access.ts";
import type { Environment } from "../config.ts";
import type { FunctionFactory } from "../constructs/function-factory.ts";
import { pascalCase } from "../constructs/workflow.ts";
import type { Resources } from "../resources.ts";
import type { WorkflowFile } from "../workflow-files.ts";

export interface SchedulesProps {
  environment: Environment;
  functions: FunctionFactory;
  resources: Resources;
  files: WorkflowFile[];
  machines: ReadonlyMap<string, IStateMachine>;
}

/** An older start has been superseded by the next one. */
const latestStartSeconds = 300;

/** Starts workflows on schedules. StartWorkflow derives a run's name from the data, so unchanged data starts none. */
export class SchedulesStage extends Construct {
  /** Dead-letter queue of starts: those that did not reach StartWorkflow, and those that it failed on. */
  readonly missedStarts: Queue;
  readonly startWorkflow: Function;

  constructor(scope: Construct, id: string, props: SchedulesProps) {
    super(scope, id);
    this.missedStarts = new Queue(this, "MissedStarts", {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    this.startWorkflow = this.addStartWorkflow(props);
    const role = this.addRole();
    for (const file of props.files) this.addSchedule(props.environment, file, role);
  }

  private addStartWorkflow({ functions, resources, machines }: SchedulesProps): Function {
    const arns = Object.fromEntries([...machines].map(([name, { stateMachineArn }]) => [name, stateMachineArn]));
    const mayStart = {
      variables: {},
      statements: [
        allow(["states:StartExecution", "states:ListExecutions"], Object.values(arns)),
        allow(["sqs:SendMessage"], [this.missedStarts.queueArn]),
      ],
    };
    const startWorkflow = functions.create(this, "StartWorkflow", {
      description: "Starts a workflow under a name derived from the hour and the new data",
      memoryMegabytes: 512,
      timeout: Duration.minutes(1),
      access: [
        resources.lake({ reads: ["silver/*"], lists: ["silver/*", "bronze/*"] }),
        resources.onFailure({ lists: "all" }),
        mayStart,
      ],
      variables: { STATE_MACHINES: Stack.of(this).toJsonString(arns) },
    });
    this.keepFailures(startWorkflow);
    return startWorkflow;
  }

  /** Schedules invoke asynchronously: Lambda retries a failed start and then sends it to the queue. */
  private keepFailures({ functionName }: Function): CfnEventInvokeConfig {
    return new CfnEventInvokeConfig(this, "StartWorkflowRetries", {
      functionName,
      qualifier: "$LATEST",
      maximumRetryAttempts: 2,
      maximumEventAgeInSeconds: latestStartSeconds,
      destinationConfig: { onFailure: { destination: this.missedStarts.queueArn } },
    });
  }

  private addRole(): Role {
    const statements = [
      allow(["lambda:InvokeFunction"], [this.startWorkflow.functionArn]),
      allow(["sqs:SendMessage"], [this.missedStarts.queueArn]),
    ];
    return new Role(this, "SchedulerRole", {
      assumedBy: new ServicePrincipal("scheduler.amazonaws.com", {
        conditions: { StringEquals: { "aws:SourceAccount": Stack.of(this).account } },
      }),
      description: "Invokes StartWorkflow, and sends starts that did not reach it to the dead-letter queue",
      inlinePolicies: { Start: new PolicyDocument({ statements }) },
    });
  }

  private addSchedule(
    { schedules, schedulesEnabled }: Environment,
    { name, input }: WorkflowFile,
    role: Role,
  ): CfnSchedule {
    return new CfnSchedule(this, pascalCase(name), {
      description: `Starts ${name}`,
      scheduleExpression: schedules[name] ?? schedules.otherwise,
      scheduleExpressionTimezone: "UTC",
      flexibleTimeWindow: { mode: "OFF" },
      state: schedulesEnabled ? "ENABLED" : "DISABLED",
      target: {
        arn: this.startWorkflow.functionArn,
        roleArn: role.roleArn,
        input: JSON.stringify({ workflow: name, input }),
        retryPolicy: { maximumRetryAttempts: 5, maximumEventAgeInSeconds: latestStartSeconds },
        deadLetterConfig: { arn: this.missedStarts.queueArn },
      },
    });
  }
}
