import { readFileSync } from "node:fs";

/** The part of JSON Schema that the order event uses. */
export interface Schema {
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  required?: string[];
  properties?: Record<string, Schema>;
  items?: Schema;
  allOf?: Condition[];
  if?: Schema;
  then?: Condition["then"];
  pattern?: string;
  additionalProperties?: boolean;
  [keyword: string]: unknown;
}

/** Keys that events of some versions must not have: `schema_version` is the only property of `if`. */
interface Condition {
  if?: Schema | undefined;
  then?: { properties?: Record<string, Schema | false> } | undefined;
}

export function readSchema(path: URL): Schema {
  return JSON.parse(readFileSync(path, "utf8")) as Schema;
}

/** The versions of the contract that a schema accepts. */
export function versionsOf({ properties }: Schema): number[] {
  return (allowed(properties?.["schema_version"] ?? {}) ?? []).map(Number);
}

/** The keys at the top of an event of one version. */
export function keysOfVersion(schema: Schema, version: number): string[] {
  const conditions: Condition[] = [...(schema.allOf ?? []), schema];
  const forbidden = conditions
    .filter((condition) => condition.if !== undefined && versionsOf(condition.if).includes(version))
    .flatMap(({ then }) => Object.entries(then?.properties ?? {}))
    .flatMap(([key, allowance]) => (allowance === false ? [key] : []));
  return Object.keys(schema.properties ?? {}).filter((key) => !forbidden.includes(key));
}

const lowerLimits = ["minimum", "minLength", "minItems"];
const upperLimits = ["maximum", "maxLength", "maxItems"];

/**
 * Returns the changes that would make an event of the old schema invalid in the new one, one sentence each. Tills are
 * updated over years, so every event that was valid must stay valid.
 */
export function incompatibilities(old: Schema, now: Schema, place = "event"): string[] {
  return [
    ...changedKeywords(old, now, place),
    ...narrowedLimits(old, now, place),
    ...changedFields(old, now, place),
    ...forbiddenFields(old, now, place),
    ...(old.items === undefined ? [] : incompatibilities(old.items, now.items ?? {}, `${place}[]`)),
  ];
}

function changedKeywords(old: Schema, now: Schema, place: string): string[] {
  const found = [];
  const types = typesOf(now);
  if (typesOf(old).some((type) => !types.includes(type)))
    found.push(`${place}: type ${typesOf(old).join(" or ")} became ${types.join(" or ")}`);
  if (old.pattern !== now.pattern) found.push(`${place}: pattern changed`);
  const values = allowed(now);
  for (const value of allowed(old) ?? []) {
    if (values !== undefined && !values.includes(value)) found.push(`${place}: ${String(value)} is no longer allowed`);
  }
  if (allowed(old) === undefined && values !== undefined) found.push(`${place}: only some values are allowed now`);
  return found;
}

function typesOf({ type = [] }: Schema): string[] {
  return [type].flat();
}

function allowed({ const: only, enum: some }: Schema): unknown[] | undefined {
  return only === undefined ? some : [only];
}

function narrowedLimits(old: Schema, now: Schema, place: string): string[] {
  const tooHigh = lowerLimits.filter((key) => Number(now[key] ?? -Infinity) > Number(old[key] ?? -Infinity));
  const tooLow = upperLimits.filter((key) => Number(now[key] ?? Infinity) < Number(old[key] ?? Infinity));
  return [...tooHigh, ...tooLow].map((key) => `${place}: ${key} is narrower`);
}

/** Fields that the old contract has in events of some version, and the new one forbids there. */
function forbiddenFields(old: Schema, now: Schema, place: string): string[] {
  return versionsOf(old).flatMap((version) => {
    const keys = keysOfVersion(now, version);
    return keysOfVersion(old, version)
      .filter((key) => now.properties?.[key] !== undefined && !keys.includes(key))
      .map((key) => `${place}.${key}: is forbidden in version ${version} now`);
  });
}

function changedFields(old: Schema, now: Schema, place: string): string[] {
  const found = (now.required ?? [])
    .filter((name) => !old.required?.includes(name))
    .map((name) => `${place}.${name}: is required now`);
  for (const [name, schema] of Object.entries(old.properties ?? {})) {
    const next = now.properties?.[name];
    if (next === undefined) found.push(`${place}.${name}: is gone`);
    else found.push(...incompatibilities(schema, next, `${place}.${name}`));
  }
  return found;
}
