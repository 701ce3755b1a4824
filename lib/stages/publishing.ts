import { Duration } from "aws-cdk-lib";
import { Construct } from "constructs";
import type { Environment } from "../config.ts";
import type { FunctionFactory } from "../constructs/function-factory.ts";
import type { Resources } from "../resources.ts";

export interface PublishingProps {
  environment: Environment;
  functions: FunctionFactory;
  resources: Resources;
}

/** From silver to gold: publishes changed days, each batch in one transaction. */
export class PublishingStage extends Construct {
  constructor(scope: Construct, id: string, { environment, functions, resources }: PublishingProps) {
    super(scope, id);
    const silver = resources.lake({ reads: ["silver/*"] });
    const gold = resources.warehouse("writer");
    const publishing = {
      memoryMegabytes: 1_769,
      timeout: Duration.minutes(15),
      access: [silver, resources.lakeSql(["order_lines"]), gold],
    };
    functions.create(this, "PlanWindows", {
      description: "Plans which days of gold to publish again",
      memoryMegabytes: 1_024,
      timeout: Duration.minutes(5),
      access: [resources.lake({ reads: ["silver/*"], lists: ["silver/*", "bronze/*"] }), gold],
      variables: { CUSTOMERS_EVERY_SECONDS: String(environment.customersEverySeconds) },
    });
    functions.create(this, "PublishWindows", {
      description: "Publishes one batch of days to gold, in one transaction",
      ...publishing,
      ...roomForFiles(environment),
      reservedConcurrency: 4,
    });
    functions.create(this, "PublishCustomers", {
      description: "Publishes the customer rows of the plan's days",
      ...publishing,
      ...roomForFiles(environment),
      reservedConcurrency: 1,
    });
    functions.create(this, "ReportWindows", {
      description: "Marks complete days as reported and measures gold's freshness",
      memoryMegabytes: 1_024,
      timeout: Duration.minutes(5),
      access: [silver, gold],
    });
  }
}

/** Memory and storage for DuckDB, which runs in the function on downloaded files; Athena needs neither. */
export const roomForFiles = ({ lakeSql }: Environment): { memoryMegabytes?: number; diskMegabytes?: number } =>
  lakeSql === "duckdb" ? { memoryMegabytes: 3_008, diskMegabytes: 4_096 } : {};
