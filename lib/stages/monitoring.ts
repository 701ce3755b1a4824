import { Stack } from "aws-cdk-lib";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { Topic, type ITopic } from "aws-cdk-lib/aws-sns";
import { EmailSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import { DefaultDashboardFactory, MonitoringFacade } from "cdk-monitoring-constructs";
import { Construct } from "constructs";
import type { Environment } from "../config.ts";
import { notifyOn } from "../monitoring/alarm.ts";
import { watchCost, type CostParts } from "../monitoring/watch-cost.ts";
import { watchData } from "../monitoring/watch-data.ts";
import { watchLanding, type LandingParts } from "../monitoring/watch-landing.ts";
import { watchSilence } from "../monitoring/watch-silence.ts";
import { watchWorkflows, type WorkflowParts } from "../monitoring/watch-workflows.ts";

export interface MonitoringProps {
  environment: Environment;
  alerts: ITopic;
  landing: Omit<LandingParts, "environment" | "alerts">;
  workflows: WorkflowParts;
  cost: Omit<CostParts, "environment" | "alerts">;
}

/** The dashboard, and alarms for everything that needs attention. Each alarm's description says what to do. */
export class MonitoringStage extends Construct {
  readonly dashboardUrl: string;

  constructor(scope: Construct, id: string, { environment, alerts, landing, workflows, cost }: MonitoringProps) {
    super(scope, id);
    const name = `PizzaSales-${environment.name}`;
    const monitoring = new MonitoringFacade(this, "Monitoring", {
      alarmFactoryDefaults: {
        alarmNamePrefix: name,
        actionsEnabled: true,
        action: notifyOn(alerts),
        datapointsToAlarm: 1,
      },
      metricFactoryDefaults: { namespace: "PizzaSales" },
      dashboardFactory: new DefaultDashboardFactory(this, "Dashboards", { dashboardNamePrefix: name }),
    });
    watchLanding(this, monitoring, { ...landing, environment, alerts });
    watchWorkflows(monitoring, workflows);
    watchData(monitoring, environment);
    watchSilence(monitoring, { environment, stream: landing.stream });
    watchCost(this, monitoring, { ...cost, environment, alerts });
    const { region } = Stack.of(this);
    this.dashboardUrl = `https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}#dashboards:name=${name}`;
  }
}

/** The encrypted, TLS-only topic of all alerts, with a subscription for each address, which its owner must confirm. */
export function addAlertTopic(scope: Construct, { key, emails }: { key: IKey; emails: string[] }): Topic {
  const topic = new Topic(scope, "Alerts", { masterKey: key, enforceSSL: true });
  topic.addToResourcePolicy(
    new PolicyStatement({
      sid: "AlarmsAndBudget",
      principals: ["cloudwatch", "budgets"].map((name) => new ServicePrincipal(`${name}.amazonaws.com`)),
      actions: ["sns:Publish"],
      resources: [topic.topicArn],
      conditions: { StringEquals: { "aws:SourceAccount": Stack.of(scope).account } },
    }),
  );
  for (const email of emails) topic.addSubscription(new EmailSubscription(email));
  return topic;
}
