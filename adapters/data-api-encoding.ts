import type {
  ArrayValue,
  ColumnMetadata,
  ExecuteStatementResponse,
  Field,
  SqlParameter,
} from "@aws-sdk/client-rds-data";

/** A Data API parameter for a JavaScript value; objects and arrays are encoded as pg encodes them. */
export function toParameter(name: string, value: unknown): SqlParameter {
  return { name, value: toField(value) };
}

function toField(value: unknown): Field {
  if (value === null || value === undefined) return { isNull: true };
  if (typeof value === "boolean") return { booleanValue: value };
  if (typeof value === "number") return Number.isSafeInteger(value) ? { longValue: value } : { doubleValue: value };
  return { stringValue: toText(value) };
}

function toText(value: unknown): string {
  if (Array.isArray(value)) return toArrayLiteral(value);
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "string" || typeof value === "bigint") return String(value);
  return JSON.stringify(value);
}

/** PostgreSQL's array literal, because the Data API accepts no arrays; the statement casts it (`$1::text[]`). */
function toArrayLiteral(values: readonly unknown[]): string {
  const element = (value: unknown): string => {
    if (value === null || value === undefined) return "NULL";
    return Array.isArray(value) ? toArrayLiteral(value) : `"${toText(value).replaceAll(/["\\]/g, "\\$&")}"`;
  };
  return `{${values.map(element).join(",")}}`;
}

/** Result rows with values as Warehouse defines them; empty for a statement without rows. */
export function rowsOf<Row>({ records = [], columnMetadata = [] }: ExecuteStatementResponse): Row[] {
  const names = columnMetadata.map(({ label, name }) => label ?? name ?? "");
  const readers = columnMetadata.map(readerOf);
  return records.map(
    (record) => Object.fromEntries(record.map((field, index) => [names[index]!, readers[index]!(field)])) as Row,
  );
}

type Scalar = string | number | boolean;

/** By PostgreSQL type name; values of other types stay text. */
const parsers: Record<string, (value: Scalar) => unknown> = {
  bool: (value) => value === true || value === "true",
  int2: Number,
  int4: Number,
  float4: Number,
  float8: Number,
  json: (value) => JSON.parse(String(value)) as unknown,
  jsonb: (value) => JSON.parse(String(value)) as unknown,
  timestamp: (value) => isoTimestamp(String(value)),
  timestamptz: (value) => `${isoTimestamp(String(value))}Z`,
};

function readerOf({ typeName = "" }: ColumnMetadata): (field: Field) => unknown {
  const type = typeName.toLowerCase().replace(/^_|\[\]$/g, "");
  const parse = parsers[type] ?? String;
  return (field) => readField(field, parse);
}

function readField(field: Field, parse: (value: Scalar) => unknown): unknown {
  if (field.isNull) return null;
  if (field.blobValue !== undefined) return Buffer.from(field.blobValue);
  if (field.arrayValue !== undefined)
    return elementsOf(field.arrayValue).map((value) => (value === null ? null : parse(value)));
  return parse((field.stringValue ?? field.longValue ?? field.doubleValue ?? field.booleanValue)!);
}

function elementsOf({ stringValues, longValues, doubleValues, booleanValues }: ArrayValue): (Scalar | null)[] {
  const values = stringValues ?? longValues ?? doubleValues ?? booleanValues;
  if (values === undefined) throw new Error("Data API: an array of arrays is not supported: cast the column to text");
  return values;
}

/** `2015-03-01 10:00:00.120000` as `2015-03-01T10:00:00.12`: no zone (the Data API uses UTC), no trailing zeros. */
function isoTimestamp(text: string): string {
  const [, day, time, fraction = ""] = /^(\S+)[ T]([\d:]+)(\.\d+)?/.exec(text) ?? [];
  if (day === undefined) throw new Error(`Data API: ${text} is not a timestamp: cast the column to text`);
  const digits = fraction.replace(/\.?0+$/, "");
  return `${day}T${time}${digits}`;
}

/**
 * Tokens of PostgreSQL's SQL that may contain a `$`: escape strings, identifiers, strings, quoted identifiers,
 * comments, dollar-quoted strings. The last alternative is a parameter.
 */
const tokens =
  /[eE]'(?:[^'\\]|\\[^]|'')*'|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[^]*?\*\/|\$((?:[A-Za-z_]\w*)?)\$[^]*?\$\1\$|\$(\d+)/g;

/**
 * Replaces every positional parameter `$1`, `$2`, … by `expressionOf` its number, because the Data API supports only
 * named parameters. A `$1` inside a string, a dollar-quoted string or a comment is kept.
 */
export function replaceParameters(sql: string, expressionOf: (number: number) => string): string {
  return sql.replace(tokens, (token: string, _tag: unknown, number: string | undefined) =>
    number === undefined ? token : expressionOf(Number(number)),
  );
}

/** Size of a text as a JSON string, in bytes. */
export function jsonBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text));
}

/** Splits a text into parts of at most `largest` bytes each as JSON, never within a surrogate pair. */
export function splitText(text: string, largest: number): string[] {
  if (jsonBytes(text) <= largest) return [text];
  const half = Math.floor(text.length / 2);
  const isLowSurrogate = (text.charCodeAt(half) & 0xfc00) === 0xdc00;
  const middle = isLowSurrogate ? half + 1 : half;
  return [...splitText(text.slice(0, middle), largest), ...splitText(text.slice(middle), largest)];
}
