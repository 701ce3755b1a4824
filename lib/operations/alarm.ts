import { ComparisonOperator, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import type { CustomAlarmThreshold } from "cdk-monitoring-constructs";

/** What an alarm says: first what has happened, then what to do. */
export interface AlarmText {
  happened: string;
  next: string;
}

/** Settings that all alarms share. Where nothing is measured nothing is wrong: idle parts measure nothing. */
export function alarm({ happened, next }: AlarmText, { datapoints = 1 } = {}): CustomAlarmThreshold {
  return {
    alarmDescriptionOverride: `${happened} What to do: ${next}`,
    datapointsToAlarm: datapoints,
    evaluationPeriods: datapoints,
    treatMissingDataOverride: TreatMissingData.NOT_BREACHING,
  };
}

/** As `alarm`, over a metric of one's own: it goes off above the threshold. */
export const above = (threshold: number, text: AlarmText, options?: { datapoints?: number }) => ({
  threshold,
  comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
  ...alarm(text, options),
});
