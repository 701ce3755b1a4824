/** The part of JSON Schema that the order event uses. */
export interface Schema {
  type?: string;
  const?: unknown;
  enum?: unknown[];
  required?: string[];
  properties?: Record<string, Schema>;
  items?: Schema;
  if?: Schema;
  then?: { properties?: Record<string, Schema | false> };
  pattern?: string;
  additionalProperties?: boolean;
  [keyword: string]: unknown;
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
  if (old.type !== now.type) found.push(`${place}: type ${old.type} became ${now.type}`);
  if (old.pattern !== now.pattern) found.push(`${place}: pattern changed`);
  const values = allowed(now);
  for (const value of allowed(old) ?? []) {
    if (values !== undefined && !values.includes(value)) found.push(`${place}: ${String(value)} is no longer allowed`);
  }
  if (allowed(old) === undefined && values !== undefined) found.push(`${place}: only some values are allowed now`);
  return found;
}

function allowed({ const: only, enum: some }: Schema): unknown[] | undefined {
  return only === undefined ? some : [only];
}

function narrowedLimits(old: Schema, now: Schema, place: string): string[] {
  const tooHigh = lowerLimits.filter((key) => Number(now[key] ?? -Infinity) > Number(old[key] ?? -Infinity));
  const tooLow = upperLimits.filter((key) => Number(now[key] ?? Infinity) < Number(old[key] ?? Infinity));
  return [...tooHigh, ...tooLow].map((key) => `${place}: ${key} is narrower`);
}

/** Fields of the old contract that the new one forbids under a condition under which the old one did not. */
function forbiddenFields(old: Schema, now: Schema, place: string): string[] {
  const isSameCase = JSON.stringify(old.if) === JSON.stringify(now.if);
  return Object.entries(now.then?.properties ?? {})
    .filter(([name, schema]) => schema === false && old.properties?.[name] !== undefined)
    .filter(([name]) => !isSameCase || old.then?.properties?.[name] !== false)
    .map(([name]) => `${place}.${name}: is forbidden in some events now`);
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
