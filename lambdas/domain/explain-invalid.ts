import type { ErrorObject } from "ajv";
import { limits } from "./limits.ts";
import { refuse, type ReasonCode, type Refusal } from "./reasons.ts";

/** Finds the reason code for a value that the contract's validator refused. Limits come before the contract's rules. */
export function explainInvalid(value: unknown, error: ErrorObject | undefined): { refusal: Refusal } {
  if (exceedsDepth(value, limits.depth)) return refuse("too_deep", "event");
  if (hasForbiddenCharacter(value)) return refuse("forbidden_character", "event");
  if (error === undefined) return refuse("invalid_value", "event");
  const place = error.instancePath === "" ? "event" : error.instancePath.slice(1).replaceAll("/", ".");
  const found = at(value, error.instancePath);
  return refuse(reasonOf(error, found), nameOf(error, place), typeof found === "object" ? undefined : found);
}

function nameOf(error: ErrorObject, place: string): string {
  const key: unknown = error.params["additionalProperty"] ?? error.params["missingProperty"];
  if (error.keyword === "false schema") return `event.${place}`;
  return typeof key === "string" ? `${place}.${key.slice(0, 80)}` : place;
}

function reasonOf({ keyword, instancePath }: ErrorObject, found: unknown): ReasonCode {
  // Version 1 of the contract does not know the keys of version 2.
  if (keyword === "additionalProperties" || keyword === "false schema") return "unknown_key";
  if (keyword === "required") return "missing_field";
  if (keyword === "maxItems") return "too_many_lines";
  if (instancePath === "/schema_version") return "unsupported_schema_version";
  if (keyword === "enum") return instancePath === "/status" ? "unknown_status" : "unknown_channel";
  if (typeof found === "number" && instancePath.endsWith("/quantity")) return "quantity_out_of_range";
  // An amount beyond the largest double is parsed to Infinity, which is no JSON number any more.
  if (typeof found === "number" && /\/(unit_price|tip)$/.test(instancePath)) return "money_out_of_range";
  return keyword === "type" ? "wrong_type" : "invalid_value";
}

function at(value: unknown, path: string): unknown {
  let found = value;
  for (const key of path.split("/").slice(1)) {
    found = typeof found === "object" && found !== null ? (found as Record<string, unknown>)[key] : undefined;
  }
  return found;
}

/** Without recursion: the depth is what is in doubt. */
function exceedsDepth(value: unknown, limit: number): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    const containers = level.filter((item): item is object => typeof item === "object" && item !== null);
    if (depth >= limit && containers.length > 0) return true;
    level = containers.flatMap((item) => Object.values(item) as unknown[]);
  }
  return false;
}

/** Whether any text below `value`, keys included, holds NUL or a lone surrogate. `value` is at most `limits.depth` deep. */
export function hasForbiddenCharacter(value: unknown): boolean {
  if (typeof value === "string") return value.includes("\0") || !value.isWellFormed();
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([key, item]) => hasForbiddenCharacter(key) || hasForbiddenCharacter(item));
}
