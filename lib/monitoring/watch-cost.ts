import { CfnBudget } from "aws-cdk-lib/aws-budgets";
import { Metric, Stats } from "aws-cdk-lib/aws-cloudwatch";
import type { IDatabaseCluster } from "aws-cdk-lib/aws-rds";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import type { MonitoringFacade } from "cdk-monitoring-constructs";
import type { Construct } from "constructs";
import type { AuroraSettings, Environment } from "../config.ts";
import { minutes } from "../constructs/time.ts";
import { threshold, alarm } from "./alarm.ts";

export interface CostParts {
  environment: Environment;
  cluster: IDatabaseCluster;
  settings: AuroraSettings;
  workgroup: string;
  alerts: ITopic;
}

/** Watches what costs: the database's size, the bytes that Athena reads, and the month's bill. */
export function watchCost(scope: Construct, monitoring: MonitoringFacade, parts: CostParts): void {
  const { environment, cluster, settings, workgroup, alerts } = parts;
  monitoring.addLargeHeader("Warehouse and cost");
  monitoring.monitorAuroraCluster({
    cluster,
    humanReadableName: "Warehouse",
    alarmFriendlyName: "Warehouse",
    addMaxServerlessDatabaseCapacityAlarm: {
      Warning: { maxUsageCount: settings.maxAcu * 0.9, ...alarm(databaseFull, { datapoints: 6 }) },
    },
  });
  monitoring.monitorCustom({
    humanReadableName: "Athena",
    alarmFriendlyName: "Athena",
    metricGroups: [
      {
        title: "Bytes read an hour",
        metrics: [
          {
            alarmFriendlyName: "BytesRead",
            metric: bytesRead(workgroup),
            addAlarm: { Warning: threshold(environment.athenaScanLimitMegabytes * 1_000_000, muchRead) },
          },
        ],
      },
    ],
  });
  addBudget(scope, environment, alerts);
}

/** An hour may read in all what a single query may at the most. */
const bytesRead = (workgroup: string) =>
  new Metric({
    namespace: "AWS/Athena",
    metricName: "ProcessedBytes",
    dimensionsMap: { WorkGroup: workgroup, QueryState: "SUCCEEDED", QueryType: "DML" },
    statistic: Stats.SUM,
    period: minutes(60),
  });

/**
 * The account's whole bill. A budget by tag would see nothing until somebody has switched the tag on in the billing
 * console, and a guard that may be asleep is none.
 */
function addBudget(scope: Construct, { monthlyBudgetUsd }: Environment, alerts: ITopic): CfnBudget {
  const subscribers = [{ subscriptionType: "SNS", address: alerts.topicArn }];
  const told = (notificationType: string, percent: number) => ({
    notification: {
      notificationType,
      comparisonOperator: "GREATER_THAN",
      threshold: percent,
      thresholdType: "PERCENTAGE",
    },
    subscribers,
  });
  return new CfnBudget(scope, "Budget", {
    budget: { budgetType: "COST", timeUnit: "MONTHLY", budgetLimit: { amount: monthlyBudgetUsd, unit: "USD" } },
    notificationsWithSubscribers: [told("ACTUAL", 80), told("FORECASTED", 100)],
  });
}

const databaseFull = {
  happened: "The warehouse has been near its largest size for half an hour.",
  next: "see on the dashboard what rose with it: connections (BI tools) or runs of silver_to_gold (the pipeline's own); for the pipeline raise warehouse.maxAcu in lib/config.ts, for a BI tool let it import instead of asking each time.",
};
const muchRead = {
  happened: "Athena read in an hour what one query may read at the most.",
  next: "see who asked what in the workgroup's query history; a query without order_date in its where clause reads the whole table.",
};
