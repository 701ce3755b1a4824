import { expect, test } from "vitest";
import { manifestOf, toLiteral, withTables, toLakeRows } from "../../adapters/athena.ts";
import type { LakeTable } from "../../pipeline/ports.ts";

const table: LakeTable = {
  name: "silver_order_lines",
  version: 7,
  files: ["silver/order_lines/order_date=2015-01-02/b.parquet", "silver/order_lines/order_date=2015-01-01/a.parquet"],
  columns: [
    { name: "order_id", type: "string" },
    { name: "ordered_at", type: "timestamp" },
    { name: "order_date", type: "date" },
  ],
  partitionColumn: "order_date",
};
const place = { tables: [table], database: "pizza", bucket: "lake" };

test("the manifest of the same files does not depend on their order", () => {
  const manifest = manifestOf(table, "lake")!;
  expect(manifest.text).toBe(
    "s3://lake/silver/order_lines/order_date=2015-01-01/a.parquet\n" +
      "s3://lake/silver/order_lines/order_date=2015-01-02/b.parquet\n",
  );
  expect(manifest.key).toBe(`manifests/${manifest.name}/files.txt`);
  expect(manifestOf({ ...table, files: table.files.toReversed() }, "lake")).toEqual(manifest);
  expect(manifestOf({ ...table, files: table.files.slice(1) }, "lake")!.name).not.toBe(manifest.name);
});

test("a table is a CTE before the query, restricted to its manifest and with its date from the path", () => {
  const { name } = manifestOf(table, "lake")!;
  expect(withTables("select 1 from silver_order_lines", place)).toBe(
    `with "silver_order_lines" as (select "order_id" as "order_id", with_timezone("ordered_at", 'UTC') as "ordered_at", ` +
      `cast(regexp_extract("$path", 'order_date=([0-9-]{10})', 1) as date) as "order_date" ` +
      `from "pizza"."order_lines_at" where manifest = '${name}')\nselect 1 from silver_order_lines`,
  );
});

test.each([
  [
    "-- grain: one\nwith a as (select 1), b as (select 2) select 3",
    /^-- grain: one\nwith "silver_order_lines" as \(.*\),\na as \(/,
  ],
  [
    "/* with */\n  WITH\n a as (select 1) select 3",
    /^\/\* with \*\/\n {2}with "silver_order_lines" as \(.*\),\na as \(/,
  ],
  ["select 'with' as withered", /\)\nselect 'with' as withered$/],
  ["withered", /\)\nwithered$/],
])("a query's own CTEs follow those of the tables: %j", (sql, expected) => {
  expect(withTables(sql, place)).toMatch(expected);
});

test("a query without tables is unchanged", () => {
  expect(withTables("select 1 as one", { ...place, tables: [] })).toBe("select 1 as one");
});

test("parameters become escaped literals", () => {
  expect([toLiteral("it's"), toLiteral("' or true --"), toLiteral(12), toLiteral("2015-01-01")]).toEqual([
    "'it''s'",
    "''' or true --'",
    "12",
    "'2015-01-01'",
  ]);
});

test("cells have the types of the port", () => {
  const cells = {
    varchar: "",
    integer: "-7",
    bigint: "9007199254740993",
    double: "1.5E10",
    decimal: "1.50",
    boolean: "false",
    date: "2015-03-01",
    timestamp: "2015-03-01 11:38:36.120",
    "timestamp with time zone": "2015-03-01 11:38:36.000123 UTC",
  };
  const columns = Object.keys(cells).map((Type) => ({ Name: Type, Type }));
  const Data = Object.values(cells).map((VarCharValue) => ({ VarCharValue }));
  const nulls = columns.map(() => ({}));
  const [row, empty] = toLakeRows([{ Data }, { Data: nulls }], columns);
  expect(row).toEqual({
    varchar: "",
    integer: -7,
    bigint: 9007199254740993n,
    double: 1.5e10,
    decimal: "1.50",
    boolean: false,
    date: "2015-03-01",
    timestamp: "2015-03-01T11:38:36.120Z",
    "timestamp with time zone": "2015-03-01T11:38:36.000123Z",
  });
  expect(new Set(Object.values(empty!))).toEqual(new Set([null]));
  const elsewhere = { VarCharValue: "2015-03-01 11:38:36.120 America/New_York" };
  const zoned = [{ Name: "at", Type: "timestamp with time zone" }];
  expect(() => toLakeRows([{ Data: [elsewhere] }], zoned)).toThrow(/is not a UTC timestamp/);
});
