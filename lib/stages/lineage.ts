import { Duration, Stack } from "aws-cdk-lib";
import { Rule } from "aws-cdk-lib/aws-events";
import { LambdaFunction } from "aws-cdk-lib/aws-events-targets";
import type { Function } from "aws-cdk-lib/aws-lambda";
import type { IStateMachine } from "aws-cdk-lib/aws-stepfunctions";
import { Construct } from "constructs";
import type { Environment } from "../config.ts";
import type { FunctionFactory } from "../constructs/function-factory.ts";
import { silverLog, type Resources } from "../resources.ts";
import type { StatefulStack } from "../stateful-stack.ts";

export interface LineageProps {
  environment: Environment;
  functions: FunctionFactory;
  resources: Resources;
  stateful: StatefulStack;
  machines: ReadonlyMap<string, IStateMachine>;
}

/** Records every workflow run as OpenLineage events, from EventBridge and without involving the workflows. */
export class LineageStage extends Construct {
  readonly recordLineage: Function;

  constructor(scope: Construct, id: string, { environment, functions, resources, stateful, machines }: LineageProps) {
    super(scope, id);
    const arns = Object.fromEntries([...machines].map(([name, { stateMachineArn }]) => [name, stateMachineArn]));
    const { openLineageUrl } = environment;
    this.recordLineage = functions.create(this, "RecordLineage", {
      description: "Records the workflows' runs as OpenLineage events",
      memoryMegabytes: 512,
      timeout: Duration.minutes(1),
      access: [resources.lake({ reads: [silverLog], writes: ["lineage/*"] }), resources.backups({})],
      variables: {
        STATE_MACHINES: Stack.of(this).toJsonString(arns),
        STREAM_NAME: stateful.orders.streamName,
        LINEAGE_WAREHOUSE: warehouseAddress(environment, stateful),
        ...(openLineageUrl !== undefined && { OPENLINEAGE_URL: openLineageUrl }),
      },
    });
    this.addRule(Object.values(arns));
  }

  private addRule(stateMachineArn: string[]): Rule {
    return new Rule(this, "Runs", {
      description: "Every start and end of a workflow",
      eventPattern: {
        source: ["aws.states"],
        detailType: ["Step Functions Execution Status Change"],
        detail: { stateMachineArn },
      },
      targets: [new LambdaFunction(this.recordLineage, { retryAttempts: 5, maxEventAge: Duration.minutes(60) })],
    });
  }
}

/** Address of gold without login. */
function warehouseAddress({ warehouse: settings }: Environment, { warehouse }: StatefulStack): string {
  if (settings.kind === "postgres") {
    const { host, pathname } = new URL(settings.databaseUrl);
    return `postgres://${host}${pathname}`;
  }
  const { hostname, port } = warehouse!.cluster.clusterEndpoint;
  return `postgres://${hostname}:${port}/${warehouse!.databaseName}`;
}
