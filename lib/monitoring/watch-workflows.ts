import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import type { IStateMachine } from "aws-cdk-lib/aws-stepfunctions";
import type { MonitoringFacade } from "cdk-monitoring-constructs";
import { pascalCase } from "../constructs/workflow.ts";
import { minutes } from "../constructs/time.ts";
import { alarm, type AlarmSettings } from "./alarm.ts";

export interface WorkflowParts {
  machines: ReadonlyMap<string, IStateMachine>;
  missedStarts: IQueue;
  /** Functions that no workflow retries. */
  others: {
    /** Called by a schedule, all the time. */ steady: IFunction[];
    /** Called now and then. */ rare: IFunction[];
  };
}

/** Watches every workflow, what starts them, and the functions that stand beside them. */
export function watchWorkflows(monitoring: MonitoringFacade, { machines, missedStarts, others }: WorkflowParts): void {
  monitoring.addLargeHeader("Workflows");
  for (const [name, stateMachine] of machines) watchMachine(monitoring, name, stateMachine);
  monitoring.monitorSqsQueue({
    queue: missedStarts,
    humanReadableName: "Starts that failed",
    alarmFriendlyName: "MissedStarts",
    addQueueMaxSizeAlarm: { Critical: { maxMessageCount: 0, ...alarm(missedStart, { silence: "unknown" }) } },
  });
  for (const each of others.steady) watchFunction(monitoring, each, { datapoints: 2 });
  // What is called once a month, or once a run, never fails in two periods in a row.
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

/** Longer than the pause before a failed run is tried again: one outage is one alarm. */
const failurePeriod = minutes(30);

function watchMachine(monitoring: MonitoringFacade, name: string, stateMachine: IStateMachine): void {
  const says = (happened: string) =>
    alarm({ happened: `A run of ${name} ${happened}.`, next: look(name) }, { period: failurePeriod, silence: "over" });
  monitoring.monitorStepFunction({
    stateMachine,
    humanReadableName: name,
    alarmFriendlyName: pascalCase(name),
    addFailedExecutionCountAlarm: { Critical: { maxErrorCount: 0, ...says("failed after all its retries") } },
    addTimedOutExecutionCountAlarm: { Critical: { maxErrorCount: 0, ...says("did not end in time") } },
    addThrottledExecutionCountAlarm: {
      Warning: { maxErrorCount: 0, ...says("was held back by a limit of Step Functions") },
    },
  });
}

const look = (name: string) =>
  `open the execution in the Step Functions console, read the failed step's error, mend its cause, then start it again (./pizza run ${name}); where its schedule is one of minutes, that tries again by itself ten minutes after a failure. Every step may run twice.`;

const missedStart = {
  happened:
    "A scheduled start failed for good, on its way or in StartWorkflow; the message is in the queue MissedStarts.",
  next: "read the log of StartWorkflow (./pizza logs --function StartWorkflow), mend the cause, purge the queue; the next start takes up all that was missed.",
};

const failed = (name: string) => ({
  happened: `${name} fails.`,
  next: `read its log (./pizza logs --function ${name}) and mend the cause; whoever calls it tries again.`,
});
