import { MathExpression, Stats, type IMetric } from "aws-cdk-lib/aws-cloudwatch";
import type { IStream } from "aws-cdk-lib/aws-kinesis";
import type { MonitoringFacade } from "cdk-monitoring-constructs";
import type { Environment } from "../config.ts";
import { seconds } from "../constructs/time.ts";
import { threshold, pipelineMetric } from "./alarm.ts";

/**
 * Watches for what no other alarm can see: a stage that does not fail because it does not run. Two periods in a row, since
 * what comes at the end of one is worked on in the next.
 */
export function watchSilence(
  monitoring: MonitoringFacade,
  { environment, stream }: { environment: Environment; stream: IStream },
): void {
  const sum = (name: string) => pipelineMetric(environment, name, Stats.SUM);
  const silent = (alarmFriendlyName: string, metric: MathExpression, text: Parameters<typeof threshold>[1]) => ({
    title: alarmFriendlyName,
    metrics: [{ alarmFriendlyName, metric, addAlarm: { Critical: threshold(0, text, { datapoints: 2 }) } }],
  });
  const { silenceSeconds } = environment.alarms;
  const landing = { comes: stream.metricIncomingRecords({ statistic: Stats.SUM }), leaves: sum("LandedRecords") };
  const publishing = { comes: sum("AcceptedOrders"), leaves: sum("PublishedWindows") };
  monitoring.monitorCustom({
    humanReadableName: "Stages that stand still",
    alarmFriendlyName: "Silence",
    metricGroups: [
      silent("NothingLanded", standstill(landing, silenceSeconds), nothingLanded),
      silent("NothingPublished", standstill(publishing, silenceSeconds), nothingPublished),
    ],
  });
}

/**
 * 1 where something comes and nothing leaves, else 0; what is not measured is none. CloudWatch does not say what it makes of a
 * series without any value, so StartWorkflow measures a zero of what leaves at each of its turns.
 */
const standstill = (usingMetrics: { comes: IMetric; leaves: IMetric }, periodSeconds: number): MathExpression =>
  new MathExpression({
    expression: "IF(FILL(comes, 0) > 0 AND FILL(leaves, 0) == 0, 1, 0)",
    usingMetrics,
    label: "stands still",
    period: seconds(periodSeconds),
  });

const nothingLanded = {
  happened: "The stream takes records and none is landed.",
  next: "see whether the event source mapping (output LandingMappingId) is enabled and what its last result says; then the log of LandRecords. Nothing is lost while the stream holds the records.",
};
const nothingPublished = {
  happened: "Silver takes orders and no day is published.",
  next: "see whether the schedule of silver_to_gold is enabled and what StartWorkflow logs (./pizza logs --function StartWorkflow), then the newest run of silver_to_gold; a run by hand (./pizza run silver_to_gold) publishes all that waits.",
};
