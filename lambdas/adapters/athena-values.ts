import type { ColumnInfo, Row } from "@aws-sdk/client-athena";
import type { LakeRow } from "../ports.ts";

type Value = LakeRow[string];

/** By Athena's name of the type; what is not here is text, dates as `YYYY-MM-DD` and decimals among it. */
const parsers: Record<string, (text: string) => Value> = {
  tinyint: Number,
  smallint: Number,
  integer: Number,
  real: Number,
  double: Number,
  bigint: BigInt,
  boolean: (text) => text === "true",
  timestamp: isoTimestamp,
  "timestamp with time zone": isoTimestamp,
};

/** Rows of an answer as the lake's port promises them. A cell without text is null, one with an empty text is not. */
export function toLakeRows(rows: readonly Row[], columns: readonly ColumnInfo[]): LakeRow[] {
  const readers = columns.map(({ Name = "", Type = "" }) => [Name, parsers[Type] ?? String] as const);
  return rows.map(({ Data = [] }) =>
    Object.fromEntries(
      readers.map(([name, parse], index) => {
        const text = Data[index]?.VarCharValue;
        return [name, text === undefined ? null : parse(text)];
      }),
    ),
  );
}

/** `2015-03-01 11:38:36.120000 UTC` as `2015-03-01T11:38:36.120Z`: three digits, or six where they say more. */
function isoTimestamp(text: string): string {
  const [, day, time, fraction = "", zone] = /^(\S+) ([\d:]+)(?:\.(\d{1,6})\d*)?(?: (.*))?$/.exec(text) ?? [];
  if (day === undefined || (zone !== undefined && zone !== "UTC")) {
    throw new Error(`Athena: ${text} is no timestamp in UTC: convert it in the query (at time zone 'UTC')`);
  }
  const digits = fraction.padEnd(3, "0").replace(/^(...)0*$/, "$1");
  return `${day}T${time}.${digits.length > 3 ? digits.padEnd(6, "0") : digits}Z`;
}
