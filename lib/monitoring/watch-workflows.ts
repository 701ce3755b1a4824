import { Duration } from "aws-cdk-lib";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import type { IStateMachine } from "aws-cdk-lib/aws-stepfunctions";
import type { MonitoringFacade } from "cdk-monitoring-constructs";
import { happened } from "../../pipeline/domain/alarm-texts.ts";
import { pascalCase } from "../constructs/workflow.ts";
import { alarm, type AlarmSettings } from "./alarm.ts";

/** Longer than the pause before a failed run is retried, so that one outage is one alarm. */
const failurePeriod = Duration.minutes(30);

export interface WorkflowParts {
  machines: ReadonlyMap<string, IStateMachine>;
  missedStarts: IQueue;
  /** Functions that no workflow retries. */
  others: {
    /** Invoked continuously by schedules. */
    steady: IFunction[];
    /** Invoked rarely. */
    rare: IFunction[];
  };
}

/** Alarms on every workflow, on scheduled starts, and on functions outside the workflows. */
export function watchWorkflows(monitoring: MonitoringFacade, { machines, missedStarts, others }: WorkflowParts): void {
  monitoring.addLargeHeader("Workflows");
  for (const [name, stateMachine] of machines) watchMachine(monitoring, name, stateMachine);
  monitoring.monitorSqsQueue({
    queue: missedStarts,
    humanReadableName: "Failed starts",
    alarmFriendlyName: "MissedStarts",
    addQueueMaxSizeAlarm: { Critical: { maxMessageCount: 0, ...alarm(missedStart, { silence: "unknown" }) } },
  });
  for (const each of others.steady) watchFunction(monitoring, each, { datapoints: 2 });
  // A rarely invoked function never fails in two consecutive periods.
  for (const each of others.rare) watchFunction(monitoring, each, { silence: "over" });
}

function watchFunction(monitoring: MonitoringFacade, lambdaFunction: IFunction, settings: AlarmSettings): void {
  const { id } = lambdaFunction.node;
  monitoring.monitorLambdaFunction({
    lambdaFunction,
    humanReadableName: id,
    alarmFriendlyName: id,
    addFaultCountAlarm: { Warning: { maxErrorCount: 0, ...alarm(failed(id), settings) } },
  });
}

function watchMachine(monitoring: MonitoringFacade, name: string, stateMachine: IStateMachine): void {
  const runAlarm = (how: string) =>
    alarm({ happened: happened.Run(name, how), next: nextStep(name) }, { period: failurePeriod, silence: "over" });
  monitoring.monitorStepFunction({
    stateMachine,
    humanReadableName: name,
    alarmFriendlyName: pascalCase(name),
    addFailedExecutionCountAlarm: { Critical: { maxErrorCount: 0, ...runAlarm("failed after all retries") } },
    addTimedOutExecutionCountAlarm: { Critical: { maxErrorCount: 0, ...runAlarm("timed out") } },
    addThrottledExecutionCountAlarm: {
      Warning: { maxErrorCount: 0, ...runAlarm("was throttled by a Step Functions limit") },
    },
  });
}

const nextStep = (name: string) =>
  `open the execution in the Step Functions console, read the failed step's error, fix its cause, then start it again (./pizza run ${name}). A schedule in minutes retries automatically ten minutes after a failure. Every step is safe to run twice.`;

const missedStart = {
  happened:
    "A scheduled start failed permanently, during delivery or in StartWorkflow; the message is in the queue MissedStarts.",
  next: "read the log of StartWorkflow (./pizza logs --function StartWorkflow), fix the cause, and purge the queue; the next start catches up on everything missed.",
};

const failed = (name: string) => ({
  happened: `${name} fails.`,
  next: `read its log (./pizza logs --function ${name}) and fix the cause; the caller retries.`,
});
