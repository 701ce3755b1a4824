import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import { setting } from "./settings.ts";

const units = {
  LandedRecords: MetricUnit.Count,
  LandedBytes: MetricUnit.Bytes,
  RedrivenRecords: MetricUnit.Count,
  UnreadableBatches: MetricUnit.Count,
  RefinedEvents: MetricUnit.Count,
  AcceptedOrders: MetricUnit.Count,
  OrderLines: MetricUnit.Count,
  QuarantinedEvents: MetricUnit.Count,
  SetAsideObjects: MetricUnit.Count,
  PublishedWindows: MetricUnit.Count,
  Corrections: MetricUnit.Count,
  FreshnessSeconds: MetricUnit.Seconds,
  FreshnessP95Seconds: MetricUnit.Seconds,
  ReceiptFindings: MetricUnit.Count,
  QualityErrors: MetricUnit.Count,
  QualityWarnings: MetricUnit.Count,
  QualityOffenders: MetricUnit.Count,
} as const;

export type MetricValues = Partial<Record<keyof typeof units, number>>;

/**
 * Writes metrics to stdout in CloudWatch's embedded metric format, with the dimension `environment` and those given.
 */
export function emitMetrics(values: MetricValues, dimensions: Record<string, string> = {}): void {
  const entries = Object.entries(values) as [keyof typeof units, number][];
  if (entries.length === 0) return;
  const metrics = new Metrics({ namespace: process.env["POWERTOOLS_METRICS_NAMESPACE"] ?? "PizzaSales" });
  // Powertools adds a service dimension, which would make it a different metric.
  metrics.clearDefaultDimensions();
  metrics.setDefaultDimensions({ environment: setting("ENVIRONMENT"), ...dimensions });
  for (const [name, value] of entries) metrics.addMetric(name, units[name], value);
  metrics.publishStoredMetrics();
}
