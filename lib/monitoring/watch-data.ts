import { Duration } from "aws-cdk-lib";
import { MathExpression, Stats, type Metric } from "aws-cdk-lib/aws-cloudwatch";
import type { MonitoringFacade } from "cdk-monitoring-constructs";
import { qualityRules } from "../../pipeline/domain/quality-rules.ts";
import { happened } from "../../pipeline/domain/alarm-texts.ts";
import type { Environment } from "../config.ts";
import { pipelineMetric, threshold } from "./alarm.ts";

/** Alarms on the data: freshness of gold, receipt, quality rules, share of rejected events, objects set aside. */
export function watchData(monitoring: MonitoringFacade, environment: Environment): void {
  const sum = (name: string) => pipelineMetric(environment, name, Stats.SUM);
  const most = (name: string) => pipelineMetric(environment, name, Stats.MAXIMUM);
  const rejectedPercent = new MathExpression({
    expression: "IF(events > 0, 100 * refused / events, 0)",
    usingMetrics: { refused: sum("QuarantinedEvents"), events: sum("RefinedEvents") },
    label: "rejected, percent",
    period: Duration.minutes(5),
  });
  const { freshnessSeconds, quarantinePercent } = environment.alarms;
  const watched = (
    alarmFriendlyName: string,
    metric: Metric | MathExpression,
    critical: ReturnType<typeof threshold>,
  ) => ({
    alarmFriendlyName,
    metric,
    addAlarm: { Critical: critical },
  });
  monitoring.addLargeHeader("The data");
  monitoring.monitorCustom({
    humanReadableName: "From the tills to gold",
    alarmFriendlyName: "Data",
    metricGroups: [
      { title: "Landed", metrics: [sum("LandedRecords"), sum("RedrivenRecords")] },
      { title: "Refined", metrics: [sum("RefinedEvents"), sum("AcceptedOrders"), sum("OrderLines")] },
      { title: "Published", metrics: [sum("PublishedWindows"), sum("Corrections")] },
      {
        title: "Freshness, seconds from sent to visible in gold",
        metrics: [
          most("FreshnessSeconds"),
          watched("Freshness", most("FreshnessP95Seconds"), threshold(freshnessSeconds, stale, { datapoints: 3 })),
        ],
      },
      {
        title: "Receipt",
        metrics: [watched("Receipt", most("ReceiptFindings"), threshold(0, unbalanced, { silence: "unknown" }))],
      },
      {
        title: "Quality, red rules",
        metrics: [
          most("QualityWarnings"),
          watched("Quality", most("QualityErrors"), threshold(0, poor, { silence: "unknown" })),
        ],
      },
      {
        title: "Quality, offenders by rule",
        metrics: qualityRules.map(({ name: rule }) =>
          pipelineMetric(environment, "QualityOffenders", Stats.MAXIMUM, { rule }).with({ label: rule }),
        ),
      },
      {
        title: "Quarantine",
        metrics: [
          watched("Quarantine", rejectedPercent, threshold(quarantinePercent, manyRejected, { datapoints: 2 })),
        ],
      },
      {
        title: "Bronze objects set aside",
        metrics: [watched("SetAside", sum("SetAsideObjects"), threshold(0, setAside))],
      },
    ],
  });
}

const stale = {
  happened: happened.Freshness,
  next: "find the late workflow (./pizza status). A failed run has a separate alarm; long runs need more memory or a shorter schedule.",
};
const unbalanced = {
  happened: happened.Receipt,
  next: "run ./pizza verify, which lists the records, and ./pizza logs --function VerifyReceipt. Nothing is deleted from bronze, so every finding can be fixed by refining again.",
};
const poor = {
  happened: happened.Quality,
  next: "run ./pizza --target aws quality, which shows each rule with its offenders and what to do; docs/quality.md explains the rules.",
};
const setAside = {
  happened: happened.SetAside,
  next: "run ./pizza --target aws retry, which shows the reason, and restore the object if it is damaged; then ./pizza --target aws retry --all.",
};
const manyRejected = {
  happened: "More events than usual are rejected.",
  next: "check the reasons in the quarantine (table order_events in Athena). A single till or reason suggests a till update; then resend the corrected orders.",
};
