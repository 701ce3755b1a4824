import { types, type FieldDef } from "pg";

/**
 * The types that the service supports, by PostgreSQL's name; a result with any other type, including void, is an error.
 */
const scalarTypes =
  "bool bytea cidr date float4 float8 inet int2 int4 int8 json jsonb numeric text time timestamp timestamptz uuid varchar";
const arrayTypes: Record<number, string> = {
  1000: "bool",
  1005: "int2",
  1007: "int4",
  1009: "text",
  1016: "int8",
  1022: "float8",
  1231: "numeric",
};

const unsupportedTypes: Record<number, string> = {
  18: '"CHAR"',
  19: "NAME",
  2205: "regclass",
  2206: "regtype",
  2278: "VOID",
};

const nameOf = new Map<number, string>([
  ...scalarTypes
    .split(" ")
    .map((name) => [types.builtins[name.toUpperCase() as keyof typeof types.builtins], name] as const),
  ...Object.entries(arrayTypes).map(([oid, name]) => [Number(oid), `_${name}`] as const),
]);

/** The service's column metadata; throws for a column with an unsupported type. */
export function columnMetadata(fields: readonly FieldDef[]) {
  return fields.map(({ name, dataTypeID }) => {
    const typeName = nameOf.get(dataTypeID);
    if (typeName === undefined) {
      const rejected = new Error(
        `The result contains the unsupported data type ${unsupportedTypes[dataTypeID] ?? dataTypeID}.`,
      );
      throw Object.assign(rejected, { name: "UnsupportedResultException" });
    }
    return { label: name, name, typeName, nullable: 2 };
  });
}

/**
 * A value as the service returns it: `text` is PostgreSQL's format, in UTC; integers are text or numbers, as requested.
 */
export function toField(text: string | null, typeName: string, longReturnType: string): Record<string, unknown> {
  if (text === null) return { isNull: true };
  if (typeName.startsWith("_")) return { arrayValue: toArray(text, typeName.slice(1)) };
  if (typeName === "bool") return { booleanValue: text === "t" };
  if (/^int\d$/.test(typeName))
    return longReturnType === "STRING" ? { stringValue: text } : { longValue: Number(text) };
  if (/^float\d$/.test(typeName)) return { doubleValue: Number(text) };
  if (typeName === "bytea") return { blobValue: Buffer.from(text.slice(2), "hex").toString("base64") };
  return { stringValue: typeName.startsWith("timestamp") ? text.replace(/\+00$/, "") : text };
}

const parseTextArray = types.getTypeParser(1009 as never, "text") as (text: string) => (string | null)[];

function toArray(text: string, elementType: string): Record<string, unknown> {
  const values = parseTextArray(text);
  if (elementType === "bool") return { booleanValues: values.map((value) => value === "t") };
  if (/^int\d$/.test(elementType)) return { longValues: values.map(Number) };
  if (elementType === "float8") return { doubleValues: values.map(Number) };
  return { stringValues: values };
}
