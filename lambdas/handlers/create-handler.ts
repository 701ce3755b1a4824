import type { Context } from "aws-lambda";
import { logger } from "./logger.ts";
import { emitMetrics, type MetricValues } from "./metrics.ts";
import { safeError } from "./safe-text.ts";

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
