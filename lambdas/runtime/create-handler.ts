import type { Context } from "aws-lambda";
import { logger, safeError } from "./logger.ts";
import { emitMetrics, type MetricValues } from "./metrics.ts";

/**
 * Wraps a use case as a Lambda handler: logs one line with the allowed fields of its summary, emits its metrics and
 * returns the summary. Errors are logged and rethrown without text that may quote an order.
 */
export function createHandler<Event, Summary extends object>(
  run: (event: Event) => Promise<Summary>,
  measure: (summary: Summary) => MetricValues = () => ({}),
): (event: Event, context: Context) => Promise<Summary> {
  return async (event, context) => {
    logger.addContext(context);
    const started = performance.now();
    const milliseconds = () => Math.round(performance.now() - started);
    try {
      const summary = await run(event);
      emitMetrics(measure(summary));
      logger.info("done", { ...summary, milliseconds: milliseconds() });
      return summary;
    } catch (error) {
      const safe = safeError(error);
      logger.error("failed", { errorName: safe.name, errorMessage: safe.message, milliseconds: milliseconds() });
      throw safe;
    }
  };
}

/** Memoizes `open`, so that a warm function opens its clients once. A failed call is not kept. */
export function lazy<Resource>(open: () => Promise<Resource>): () => Promise<Resource> {
  let opened: Promise<Resource> | undefined;
  return async () => {
    opened ??= open();
    try {
      return await opened;
    } catch (error) {
      opened = undefined;
      throw error;
    }
  };
}
