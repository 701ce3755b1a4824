import type { Context } from "aws-lambda";
import { logger, safeError } from "./logger.ts";
import { emitMetrics, type MetricValues } from "./metrics.ts";

/** Share of the remaining time in which a function takes on more work; the rest is for finishing what it has. */
const workingShare = 0.4;

/** What a use case is told about the invocation. */
export interface Invocation {
  /** When it should take on no more work, in milliseconds since 1970. */
  until: number;
}

/**
 * Wraps a use case as a Lambda handler: logs one line with the allowed fields of its summary, emits its metrics and
 * returns the summary. Errors are logged and rethrown without text that may quote an order.
 */
export function createHandler<Event, Summary extends object>(
  run: (event: Event, invocation: Invocation) => Promise<Summary>,
  measure: (summary: Summary) => MetricValues = () => ({}),
): (event: Event, context: Context) => Promise<Summary> {
  return async (event, context) => {
    logger.addContext(context);
    const started = performance.now();
    const milliseconds = () => Math.round(performance.now() - started);
    try {
      const summary = await run(event, { until: Date.now() + context.getRemainingTimeInMillis() * workingShare });
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
