import type { Context } from "aws-lambda";
import { logger, safeError } from "./logger.ts";
import { emitMetrics, type MetricValues } from "./metrics.ts";

/**
 * The Lambda handler around one use case: logs one line, with the fields of its summary that may be logged, emits its
 * metrics, and gives the summary back. An error is logged and thrown on without what may quote an order.
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

/**
 * Makes a thing at the first call and keeps it, so that a warm function opens its clients once. One that could not be
 * made is tried again at the next call.
 */
export function lazy<Thing>(make: () => Promise<Thing>): () => Promise<Thing> {
  let made: Promise<Thing> | undefined;
  return async () => {
    made ??= make();
    try {
      return await made;
    } catch (error) {
      made = undefined;
      throw error;
    }
  };
}
