import type { Duration } from "aws-cdk-lib";
import { ComparisonOperator, TreatMissingData, Metric } from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import type { CustomAlarmThreshold, IAlarmActionStrategy } from "cdk-monitoring-constructs";
import type { Environment } from "../config.ts";
import { minutes } from "../constructs/time.ts";

/** What an alarm says: first what has happened, then what to do. */
export interface AlarmText {
  happened: string;
  next: string;
}

export interface AlarmSettings {
  datapoints?: number;
  /** How long one measurement of the metric is. */
  period?: Duration;
  /**
   * What the alarm says where nothing is measured. `well`: nothing is wrong, as idle parts measure nothing. `unknown`: what
   * it said before, as the metric tells of a state and is measured now and then; only a measurement ends it. `over`: the
   * metric counts events, and the silence after one does not say that it is mended, so nobody is told that all is well.
   */
  silence?: "well" | "unknown" | "over";
}

const eventsTag = "counts-events";

/** Settings that all alarms share. */
export function alarm(
  { happened, next }: AlarmText,
  { datapoints = 1, period, silence = "well" }: AlarmSettings = {},
): CustomAlarmThreshold {
  return {
    alarmDescriptionOverride: `${happened} What to do: ${next}`,
    datapointsToAlarm: datapoints,
    evaluationPeriods: datapoints,
    treatMissingDataOverride: silence === "unknown" ? TreatMissingData.IGNORE : TreatMissingData.NOT_BREACHING,
    ...(period && { period }),
    ...(silence === "over" && { customTags: [eventsTag] }),
  };
}

/** As `alarm`, over a metric of one's own: it goes off above the threshold. */
export const threshold = (limit: number, text: AlarmText, settings?: AlarmSettings) => ({
  threshold: limit,
  comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
  ...alarm(text, settings),
});

/** Tells people of an alarm, and of its end where the end says that it is mended. */
export const notifyOn = (alerts: ITopic): IAlarmActionStrategy => ({
  addAlarmActions({ alarm: one, customTags = [] }) {
    one.addAlarmAction(new SnsAction(alerts));
    if (!customTags.includes(eventsTag)) one.addOkAction(new SnsAction(alerts));
  },
});

/** A metric that the environment's functions emit, by its name in `lambdas/runtime/metrics.ts`, every five minutes. */
export const pipelineMetric = (
  { name }: Environment,
  metricName: string,
  statistic: string,
  dimensions: Record<string, string> = {},
): Metric =>
  new Metric({
    namespace: "PizzaSales",
    metricName,
    dimensionsMap: { environment: name, ...dimensions },
    statistic,
    period: minutes(5),
  });
