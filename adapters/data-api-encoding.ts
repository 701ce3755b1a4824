import type {
  ArrayValue,
  ColumnMetadata,
  ExecuteStatementResponse,
  Field,
  SqlParameter,
} from "@aws-sdk/client-rds-data";

/** A parameter of the Data API for a JavaScript value: what pg would send as JSON or as an array, this sends so too. */
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

/** PostgreSQL's own text form of an array, as the Data API takes no arrays; the statement casts it (`$1::text[]`). */
function toArrayLiteral(values: readonly unknown[]): string {
  const element = (value: unknown): string => {
    if (value === null || value === undefined) return "NULL";
    return Array.isArray(value) ? toArrayLiteral(value) : `"${toText(value).replaceAll(/["\\]/g, "\\$&")}"`;
  };
  return `{${values.map(element).join(",")}}`;
}

/** The rows of an answer, with values as the warehouse's port promises them; a statement without rows gives none. */
export function rowsOf<Row>({ records = [], columnMetadata = [] }: ExecuteStatementResponse): Row[] {
  const names = columnMetadata.map(({ label, name }) => label ?? name ?? "");
  const readers = columnMetadata.map(readerOf);
  return records.map(
    (record) => Object.fromEntries(record.map((field, index) => [names[index]!, readers[index]!(field)])) as Row,
  );
}

type Scalar = string | number | boolean;

/** By PostgreSQL's name of the type; what is not here is text. */
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
  if (values === undefined) throw new Error("Data API: an array of arrays is not read: cast the column to text");
  return values;
}

/** `2015-03-01 10:00:00.120000` as `2015-03-01T10:00:00.12`: a `T`, no zone (the Data API answers in UTC), no idle zeros. */
function isoTimestamp(text: string): string {
  const [, day, time, fraction = ""] = /^(\S+)[ T]([\d:]+)(\.\d+)?/.exec(text) ?? [];
  if (day === undefined) throw new Error(`Data API: ${text} is no timestamp: cast the column to text`);
  const digits = fraction.replace(/\.?0+$/, "");
  return `${day}T${time}${digits}`;
}

/**
 * What may stand in PostgreSQL's SQL around a parameter: escape strings, names (which may hold a `$`), strings, quoted
 * names, comments, dollar-quoted bodies. The last alternative is the parameter.
 */
const tokens =
  /[eE]'(?:[^'\\]|\\[^]|'')*'|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[^]*?\*\/|\$((?:[A-Za-z_]\w*)?)\$[^]*?\$\1\$|\$(\d+)/g;

/**
 * PostgreSQL's SQL with every parameter `$1`, `$2`, … replaced by what `expressionOf` gives for its number, as the
 * Data API knows only parameters with names. A `$1` within a string, a dollar-quoted body or a comment is text and stays.
 */
export function replaceParameters(sql: string, expressionOf: (number: number) => string): string {
  return sql.replace(tokens, (token: string, _tag: unknown, number: string | undefined) =>
    number === undefined ? token : expressionOf(Number(number)),
  );
}

/** Bytes of a text as a JSON string in a request. */
export function jsonBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text));
}

/** Cuts a text into parts of at most `largest` bytes each as JSON, never within a character; together they are the text. */
export function splitText(text: string, largest: number): string[] {
  if (jsonBytes(text) <= largest) return [text];
  const half = Math.floor(text.length / 2);
  const isLowSurrogate = (text.charCodeAt(half) & 0xfc00) === 0xdc00;
  const middle = isLowSurrogate ? half + 1 : half;
  return [...splitText(text.slice(0, middle), largest), ...splitText(text.slice(middle), largest)];
}
