import { LogFormatter, Logger, LogItem } from "@aws-lambda-powertools/logger";
import type { LogAttributes, UnformattedAttributes } from "@aws-lambda-powertools/logger/types";

const mostCharacters = 500;

/** Fields allowed in a log line besides its message: counts, flags and names. Any other field is dropped. */
export const loggedFields = new Set(
  [
    ["records", "bytes", "created", "key"],
    ["redriven", "unreadable"],
    ["version", "bronzeObjects", "remaining", "events", "accepted", "lines", "repeatedRecords", "redeliveredEvents"],
    ["eventDuplicates", "supersededRevisions", "quarantined", "filesRead", "filesWritten", "filesRewritten"],
    ["files", "rows", "committed", "filesRemoved", "filesAdded"],
    ["silverVersion", "watermark", "batches", "customerBatches", "customersDue"],
    ["windows", "published", "skipped", "rowsChanged", "corrections", "reported"],
    ["id", "tables", "bytes", "goldHash", "removed", "snapshot", "state", "isDone"],
    ["balanced", "findings", "unpublishedDays", "orderLines", "errors", "warnings", "results"],
    ["workflow", "execution", "outcome", "recorded", "applied", "roles", "step", "role"],
    ["milliseconds", "errorName", "errorMessage"],
  ].flat(),
);

/** Keeps the allowed fields: numbers and flags unchanged, texts made safe, lists as their length. */
export function allowed(fields: LogAttributes): Record<string, string | number | boolean> {
  const kept: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (!loggedFields.has(name)) continue;
    if (typeof value === "number" || typeof value === "boolean") kept[name] = value;
    else if (typeof value === "string") kept[name] = safeText(value);
    else if (Array.isArray(value)) kept[name] = value.length;
  }
  return kept;
}

class AllowListFormatter extends LogFormatter {
  override formatAttributes(line: UnformattedAttributes, fields: LogAttributes): LogItem {
    const { lambdaContext: context } = line;
    return new LogItem({
      attributes: {
        level: line.logLevel,
        timestamp: this.formatTimestamp(line.timestamp),
        message: safeText(line.message),
        service: line.serviceName,
        environment: process.env["ENVIRONMENT"],
        function: context?.functionName,
        request_id: context?.awsRequestId,
        trace_id: line.xRayTraceId,
        cold_start: context?.coldStart,
        ...allowed(fields),
      },
    });
  }
}

/** Logs JSON lines to stdout that never contain customer data. */
export const logger = new Logger({ logFormatter: new AllowListFormatter() });

/**
 * Makes a text safe to log: truncates it, and masks everything that may quote an order (JSON texts, values that
 * PostgreSQL quotes after a colon or in a key, e-mail addresses, telephone numbers).
 */
export function safeText(text: string): string {
  const masked = text
    .replaceAll(/[[{]\s*\\?["{[][^]*/g, "…")
    .replaceAll(/(?:, )?(?:\.{3})?"[^]*"(?:\.{3})? is not valid JSON/g, ": the text is not valid JSON")
    .replaceAll(/: "[^]*?"(?=[\s.;,)]|$)/g, ': "…"')
    .replaceAll(/=\([^()]*\)/g, "=(…)")
    .replaceAll(/[^\s@"'<>(),;:]+@[^\s@"'<>(),;:]+/g, "…@…")
    .replaceAll(/\+\d[\d ()./-]{6,}\d/g, "+…");
  return masked.length <= mostCharacters ? masked : `${masked.slice(0, mostCharacters - 1)}…`;
}

/**
 * Makes an error safe to throw from a function: the Lambda runtime logs it and the state machine stores it. Keeps the
 * name, which state machines match; masks the message, keeps only the frames of the stack, and drops the cause.
 */
export function safeError(error: unknown): Error {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const safe = new Error(safeText(message));
  safe.name = name;
  const frames = (stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  safe.stack = [`${name}: ${safe.message}`, ...frames].join("\n");
  return safe;
}
