import { Duration } from "aws-cdk-lib";
import { ComparisonOperator, Metric, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import type { CustomAlarmThreshold, IAlarmActionStrategy } from "cdk-monitoring-constructs";
import type { Environment } from "../config.ts";

/** Description of an alarm: what happened and what to do next. */
export interface AlarmText {
  happened: string;
  next: string;
}

export interface AlarmSettings {
  datapoints?: number;
  /** Period of the metric. */
  period?: Duration;
  /**
   * Treatment of missing data. `well`: OK, because idle components emit no data. `unknown`: the state stays, because
   * the metric reports a state at long intervals; only a data point ends the alarm. `over`: OK, but without an OK
   * notification, because the metric counts events and their absence does not mean that the cause is fixed.
   */
  silence?: "well" | "unknown" | "over";
}

const eventsTag = "counts-events";

/** Settings shared by all alarms. */
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

/** Like `alarm`, for a custom metric that must not exceed a limit. */
export const threshold = (limit: number, text: AlarmText, settings?: AlarmSettings) => ({
  threshold: limit,
  comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
  ...alarm(text, settings),
});

/** Sends alarms to the topic, and OK notifications unless the metric counts events. */
export const notifyOn = (alerts: ITopic): IAlarmActionStrategy => ({
  addAlarmActions({ alarm: one, customTags = [] }) {
    one.addAlarmAction(new SnsAction(alerts));
    if (!customTags.includes(eventsTag)) one.addOkAction(new SnsAction(alerts));
  },
});

/** A metric of `lambdas/runtime/metrics.ts` in five-minute periods. */
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
    period: Duration.minutes(5),
  });
