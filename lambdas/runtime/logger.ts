import { LogFormatter, Logger, LogItem } from "@aws-lambda-powertools/logger";
import type { LogAttributes, UnformattedAttributes } from "@aws-lambda-powertools/logger/types";

/** What a log line may hold beside its message: counts, flags and names of things. Any other field is left out. */
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

/** The fields that may be logged: numbers and flags as they are, texts made safe, of a list its length. */
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

/** JSON lines on stdout that hold no customer data, whatever they are given. */
export const logger = new Logger({ logFormatter: new AllowListFormatter() });

const mostCharacters = 500;

/**
 * A text that may be logged: at most 500 characters, and without what may quote an order. Cut out are JSON texts, the
 * values that PostgreSQL quotes after a colon or in a key, e-mail addresses and telephone numbers.
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
 * The error that a function may end with: the runtime logs it and the state machine keeps it. Its name stays, for who
 * branches on it; its message is safe, its stack has the places only, and its cause stays behind.
 */
export function safeError(error: unknown): Error {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const safe = new Error(safeText(message));
  safe.name = name;
  const places = (stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  safe.stack = [`${name}: ${safe.message}`, ...places].join("\n");
  return safe;
}
