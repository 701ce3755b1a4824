import { Metric } from "aws-cdk-lib/aws-cloudwatch";
import type { Environment } from "../config.ts";
import { minutes } from "../constructs/time.ts";

/** A metric that the environment's functions emit, by its name in `lambdas/handlers/metrics.ts`, every five minutes. */
export const measured = (
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
    period: minutes(5),
  });
