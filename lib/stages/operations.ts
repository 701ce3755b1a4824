import { Stack } from "aws-cdk-lib";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import { DefaultDashboardFactory, MonitoringFacade } from "cdk-monitoring-constructs";
import { Construct } from "constructs";
import type { Environment } from "../config.ts";
import { tell } from "../operations/alarm.ts";
import { watchCost, type CostParts } from "../operations/watch-cost.ts";
import { watchData } from "../operations/watch-data.ts";
import { watchLanding, type LandingParts } from "../operations/watch-landing.ts";
import { watchSilence } from "../operations/watch-silence.ts";
import { watchWorkflows, type WorkflowParts } from "../operations/watch-workflows.ts";

export interface OperationsProps {
  environment: Environment;
  alerts: ITopic;
  landing: Omit<LandingParts, "environment" | "alerts">;
  workflows: WorkflowParts;
  cost: Omit<CostParts, "environment" | "alerts">;
}

/** The dashboard, and an alarm for whatever needs somebody. Each alarm says what to do. */
export class Operations extends Construct {
  readonly dashboardUrl: string;

  constructor(scope: Construct, id: string, { environment, alerts, landing, workflows, cost }: OperationsProps) {
    super(scope, id);
    const name = `PizzaSales-${environment.name}`;
    const monitoring = new MonitoringFacade(this, "Monitoring", {
      alarmFactoryDefaults: {
        alarmNamePrefix: name,
        actionsEnabled: true,
        action: tell(alerts),
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
