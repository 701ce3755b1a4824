import { Duration } from "aws-cdk-lib";
import { CfnBudget } from "aws-cdk-lib/aws-budgets";
import { Metric, Stats } from "aws-cdk-lib/aws-cloudwatch";
import type { IDatabaseCluster } from "aws-cdk-lib/aws-rds";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import type { MonitoringFacade } from "cdk-monitoring-constructs";
import type { Construct } from "constructs";
import type { AuroraSettings, Environment } from "../config.ts";
import { alarm, threshold } from "./alarm.ts";

export interface CostParts {
  environment: Environment;
  cluster: IDatabaseCluster;
  settings: AuroraSettings;
  workgroup: string;
  alerts: ITopic;
}

/** Alarms on cost: database capacity, bytes scanned by Athena, and the monthly bill. */
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
        title: "Bytes read per hour",
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

/** The hourly sum is compared with the scan limit of a single query. */
const bytesRead = (workgroup: string) =>
  new Metric({
    namespace: "AWS/Athena",
    metricName: "ProcessedBytes",
    dimensionsMap: { WorkGroup: workgroup, QueryState: "SUCCEEDED", QueryType: "DML" },
    statistic: Stats.SUM,
    period: Duration.minutes(60),
  });

/** A budget for the whole account, because a budget by tag requires activating the tag in the billing console. */
function addBudget(scope: Construct, { monthlyBudgetUsd }: Environment, alerts: ITopic): CfnBudget {
  const subscribers = [{ subscriptionType: "SNS", address: alerts.topicArn }];
  const notification = (notificationType: string, percent: number) => ({
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
    notificationsWithSubscribers: [notification("ACTUAL", 80), notification("FORECASTED", 100)],
  });
}

const databaseFull = {
  happened: "The warehouse has been near its maximum capacity for half an hour.",
  next: "check on the dashboard what rose with it: connections (BI tools) or runs of silver_to_gold (the pipeline). For the pipeline, raise warehouse.maxAcu in lib/config.ts; for a BI tool, use import instead of direct queries.",
};
const muchRead = {
  happened: "Athena scanned more in an hour than a single query may scan.",
  next: "check the workgroup's query history; a query without order_date in its where clause scans the whole table.",
};
