import { Duration } from "aws-cdk-lib";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import { Construct } from "constructs";
import type { Environment } from "../config.ts";
import type { FunctionFactory } from "../constructs/function-factory.ts";
import { deltaTables, failedBatches, type Resources } from "../resources.ts";
import { roomForFiles } from "./publishing.ts";

export interface ReceiptProps {
  environment: Environment;
  functions: FunctionFactory;
  resources: Resources;
  alerts: ITopic;
}

/** The receipt, which reads every layer and may change none, and the quality rules. */
export class ReceiptStage extends Construct {
  constructor(scope: Construct, id: string, { environment, functions, resources, alerts }: ReceiptProps) {
    super(scope, id);
    functions.create(this, "VerifyReceipt", {
      description:
        "Reconciles every record from the stream to gold, and sends an alert if the receipt does not balance",
      memoryMegabytes: 3_008,
      timeout: Duration.minutes(15),
      reservedConcurrency: 1,
      access: [
        resources.stream(),
        resources.onFailure({ reads: failedBatches, lists: "all" }),
        resources.lake({ reads: ["bronze/*", ...deltaTables] }),
        resources.customerKey(),
        resources.lakeSql(["order_lines", "order_events"]),
        resources.warehouse("reader"),
        resources.alerts(alerts),
      ],
      ...roomForFiles(environment),
    });
    functions.create(this, "CheckQuality", {
      description: "Checks the quality rules, stores the results, and sends an alert on errors",
      memoryMegabytes: 1_769,
      timeout: Duration.minutes(15),
      reservedConcurrency: 1,
      access: [
        resources.lake({ reads: ["silver/*"] }),
        resources.lakeSql(["order_lines"]),
        resources.warehouse("writer"),
        resources.alerts(alerts),
      ],
      ...roomForFiles(environment),
    });
  }
}
