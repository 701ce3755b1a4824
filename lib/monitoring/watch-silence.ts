import { Duration } from "aws-cdk-lib";
import { MathExpression, Stats, type IMetric } from "aws-cdk-lib/aws-cloudwatch";
import type { IStream } from "aws-cdk-lib/aws-kinesis";
import type { MonitoringFacade } from "cdk-monitoring-constructs";
import { happened } from "../../pipeline/domain/alarm-texts.ts";
import type { Environment } from "../config.ts";
import { pipelineMetric, threshold } from "./alarm.ts";

/**
 * Alarms on stages that do not run and therefore cannot fail. They require two periods in a row, because input at the
 * end of one period is processed in the next.
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
    humanReadableName: "Stalled stages",
    alarmFriendlyName: "Silence",
    metricGroups: [
      silent("NothingLanded", standstill(landing, silenceSeconds), nothingLanded),
      silent("NothingPublished", standstill(publishing, silenceSeconds), nothingPublished),
    ],
  });
}

/**
 * 1 if there is input but no output, else 0; missing data counts as zero. CloudWatch does not document how FILL treats
 * a series without any value, so StartWorkflow emits a zero for each output metric at every invocation.
 */
const standstill = (usingMetrics: { comes: IMetric; leaves: IMetric }, periodSeconds: number): MathExpression =>
  new MathExpression({
    expression: "IF(FILL(comes, 0) > 0 AND FILL(leaves, 0) == 0, 1, 0)",
    usingMetrics,
    label: "stalled",
    period: Duration.seconds(periodSeconds),
  });

const nothingLanded = {
  happened: "The stream receives records but none is landed.",
  next: "check whether the event source mapping (output LandingMappingId) is enabled, and its last result; then read the log of LandRecords. Nothing is lost while the stream retains the records.",
};
const nothingPublished = {
  happened: happened.NothingPublished,
  next: "check whether the schedule of silver_to_gold is enabled, the log of StartWorkflow (./pizza logs --function StartWorkflow) and the newest run of silver_to_gold. A manual run (./pizza run silver_to_gold) publishes everything pending.",
};
