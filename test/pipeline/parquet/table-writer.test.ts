import { DuckDBInstance, DuckDBTimestampTZValue, type DuckDBConnection, type DuckDBValue } from "@duckdb/node-api";
import * as fc from "fast-check";
import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { silverColumns, type Column } from "../../../pipeline/silver/columns.ts";
import { readColumns } from "../../../pipeline/parquet/read-columns.ts";
import { createTableWriter } from "../../../pipeline/parquet/table-writer.ts";
import { orderLines, writeRows, type Row } from "../delta/order-lines.ts";

let folder: string;
let duckdb: DuckDBConnection;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "table-writer-"));
  duckdb = await (await DuckDBInstance.create(":memory:", { threads: "2" })).connect();
  await duckdb.run("set timezone = 'UTC'");
});

afterAll(async () => {
  duckdb.closeSync();
  await rm(folder, { recursive: true });
});

/** Every file gets a new name, because DuckDB caches what it has read by name. */
async function readWithDuckDb(body: Uint8Array): Promise<unknown[]> {
  const path = join(folder, `${randomUUID()}.parquet`);
  await writeFile(path, body);
  const reader = await duckdb.runAndReadAll(`select * from read_parquet('${path}')`);
  return reader
    .getRowObjects()
    .map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, microsOf(value)])));
}

function microsOf(value: DuckDBValue): unknown {
  return value instanceof DuckDBTimestampTZValue ? Number(value.micros) : value;
}

async function readWithHyparquet(body: Uint8Array, columns: readonly Column[]): Promise<unknown[]> {
  const read = await readColumns(
    body,
    columns.map(({ name }) => name),
  );
  const rows = read[columns[0]!.name]!.length;
  return Array.from({ length: rows }, (_, row) =>
    Object.fromEntries(columns.map(({ name }) => [name, read[name]![row]])),
  );
}

/** The row as both readers return it: 64-bit integers as bigint, texts as UTF-8 encodes them. */
function asRead(rows: readonly Row[], columns: readonly Column[]): Row[] {
  return rows.map((row) =>
    Object.fromEntries(
      columns.map(({ name, type }) => {
        const value = row[name]!;
        if (typeof value === "string") return [name, value.toWellFormed()];
        return [name, type === "long" && value !== null ? BigInt(value) : value];
      }),
    ),
  );
}

const kinds = ["string", "int", "long", "boolean", "timestamp"] as const;
const column = (type: Column["type"], index: number, nullable: boolean): Column => ({
  name: `c${index}_${type}`,
  type,
  comment: "",
  ...(nullable && { nullable: true }),
});

const values: Record<Column["type"], fc.Arbitrary<Row[string]>> = {
  string: fc.oneof(
    fc.constantFrom("", "margherita", "calabrese"),
    fc.string({ unit: "binary", maxLength: 40 }),
    fc.string({ unit: "grapheme", minLength: 60, maxLength: 300 }),
    fc.constantFrom("\ud800", "a\udc00b", "\u{10ffff}", "\0"),
  ),
  int: fc.oneof(fc.integer({ min: 0, max: 30 }), fc.integer(), fc.constantFrom(-(2 ** 31), 2 ** 31 - 1)),
  long: fc.oneof(
    fc.integer(),
    fc.maxSafeInteger(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n, -1, -(2 ** 32), 2 ** 32),
  ),
  boolean: fc.boolean(),
  timestamp: fc.integer({ min: -62_135_596_800_000_000 / 1000, max: 4_102_444_800_000_000 }),
};

const tables = fc
  .array(fc.tuple(fc.constantFrom(...kinds), fc.boolean()), { minLength: 1, maxLength: 6 })
  .map((types) => types.map(([type, nullable], index) => column(type, index, nullable)))
  .chain((columns) => {
    const row = fc.record(
      Object.fromEntries(
        columns.map(({ name, type, nullable }) => [name, nullable ? fc.option(values[type]) : values[type]]),
      ),
    );
    const rows = fc.oneof(fc.array(row, { maxLength: 3 }), fc.array(row, { minLength: 1, maxLength: 60, size: "max" }));
    return fc.record({ columns: fc.constant(columns), rows, copies: fc.constantFrom(1, 1, 3, 40) });
  });

describe("any table", () => {
  test("is read back by hyparquet and by DuckDB as it was written", async () => {
    await fc.assert(
      fc.asyncProperty(tables, async ({ columns, rows: some, copies }) => {
        const rows = Array.from({ length: copies }, () => some).flat();
        const { body, rows: count } = writeRows(rows, columns);
        expect(count).toBe(rows.length);
        expect(await readWithHyparquet(body, columns)).toEqual(asRead(rows, columns));
        expect(await readWithDuckDb(body)).toEqual(asRead(rows, columns));
      }),
      { numRuns: 80 },
    );
  });
});

describe("a table of several pages and row groups", () => {
  const columns = [
    column("string", 0, false),
    column("string", 1, true),
    column("int", 2, true),
    column("long", 3, false),
    column("boolean", 4, true),
    column("timestamp", 5, true),
  ];
  const count = 530_000;
  const written = createTableWriter(columns);
  for (let row = 0; row < count; row++) {
    written.string("c0_string").push(`order-${row >> 1}`);
    written.string("c1_string").push(row % 7 === 0 ? null : `town ${row % 300}`);
    written.int("c2_int").push(row % 5 === 0 ? null : row % 1000);
    written.long("c3_long").push(row * 1_000_003);
    written.boolean("c4_boolean").push(row % 3 === 0 ? null : row % 2 === 0);
    written.long("c5_timestamp").push(row % 11 === 0 ? null : row * 1_000_000);
  }
  const { body, stats } = written.finish();

  test("keeps every value in its row", async () => {
    const read = await readColumns(
      body,
      columns.map(({ name }) => name),
    );
    let wrong = 0;
    for (let row = 0; row < count; row++) {
      if (read["c0_string"]![row] !== `order-${row >> 1}`) wrong++;
      if (read["c1_string"]![row] !== (row % 7 === 0 ? null : `town ${row % 300}`)) wrong++;
      if (read["c2_int"]![row] !== (row % 5 === 0 ? null : row % 1000)) wrong++;
      if (read["c3_long"]![row] !== BigInt(row * 1_000_003)) wrong++;
      if (read["c4_boolean"]![row] !== (row % 3 === 0 ? null : row % 2 === 0)) wrong++;
      if (read["c5_timestamp"]![row] !== (row % 11 === 0 ? null : row * 1_000_000)) wrong++;
    }
    expect(wrong).toBe(0);
  });

  test("has the same sums in DuckDB, even if it skips row groups by their statistics", async () => {
    const path = join(folder, "large.parquet");
    await writeFile(path, body);
    const sums = `select count(*)::int as n, count(c1_string)::int as towns, sum(c2_int)::bigint as cents from '${path}'`;
    const [all] = (await duckdb.runAndReadAll(sums)).getRowObjects();
    const [late] = (
      await duckdb.runAndReadAll(`${sums} where c5_timestamp >= make_timestamptz(529000000000)`)
    ).getRowObjects();
    const rows = Array.from({ length: count }, (_, row) => row);
    const cents = rows.filter((row) => row % 5 !== 0).reduce((sum, row) => sum + (row % 1000), 0);
    expect(all).toEqual({ n: count, towns: rows.filter((row) => row % 7 !== 0).length, cents: BigInt(cents) });
    expect(late!["n"]).toBe(rows.filter((row) => row >= 529_000 && row % 11 !== 0).length);
  });

  test("has statistics that match its contents", () => {
    expect(stats).toEqual({
      numRecords: count,
      minValues: { c0_string: "order-0", c5_timestamp: "1970-01-01T00:00:01.000Z" },
      maxValues: { c0_string: "order-99999", c5_timestamp: "1970-01-07T03:13:19.000Z" },
      nullCount: { c0_string: 0, c5_timestamp: Math.ceil(count / 11) },
    });
  });
});

describe("the statistics of a file", () => {
  const columns = [column("string", 0, false), column("timestamp", 1, true)];

  test("bound long texts by short ones, and times by whole milliseconds", () => {
    const name = "x".repeat(31);
    const rows = [
      { c0_string: `${name}\u{1f355} and more`, c1_timestamp: 1_000_001 },
      { c0_string: "\ud800", c1_timestamp: -1 },
    ];
    expect(writeRows(rows, columns).stats).toEqual({
      numRecords: 2,
      minValues: { c0_string: name, c1_timestamp: "1969-12-31T23:59:59.999Z" },
      maxValues: { c0_string: "\ufffd", c1_timestamp: "1970-01-01T00:00:01.001Z" },
      nullCount: { c0_string: 0, c1_timestamp: 0 },
    });
  });

  test("omit bounds that cannot be expressed: times outside the calendar, columns of nulls", () => {
    const rows = (time: bigint | null) => [{ c0_string: "o-1", c1_timestamp: time }];
    for (const time of [2n ** 62n, -(2n ** 62n), null]) {
      const { minValues, maxValues } = writeRows(rows(time), columns).stats;
      expect([minValues, maxValues]).toEqual([{ c0_string: "o-1" }, { c0_string: "o-1" }]);
    }
  });
});

describe("the size of silver", () => {
  test("is at most 25 bytes a line in a large file", () => {
    const rows = orderLines({ orders: 20_000 });
    expect(writeRows(rows).body.length / rows.length).toBeLessThan(25);
  });

  test("stays small for a quiet day: under 12 kB for its 136 lines", () => {
    expect(writeRows(orderLines({ orders: 100 }).slice(0, 136)).body.length).toBeLessThan(12_000);
  });
});

describe("a wrong value", () => {
  const writer = () => createTableWriter(silverColumns);

  test.each([
    ["a fraction", () => writer().int("line_no").push(1.5), "column line_no: 1.5 is not a 32-bit integer"],
    [
      "an integer that is too large",
      () =>
        writer()
          .int("line_no")
          .push(2 ** 31),
      "column line_no: 2147483648 is not a 32-bit",
    ],
    [
      "a null in a required column",
      () => writer().string("order_id").push(null),
      "column order_id: null is not a string",
    ],
    [
      "an unsafe number",
      () =>
        writer()
          .long("payload_hash")
          .push(2 ** 53),
      "column payload_hash: 9007199254740992",
    ],
    [
      "more than 64 bits",
      () =>
        writer()
          .long("payload_hash")
          .push(2n ** 63n),
      "is not a 64-bit integer",
    ],
    ["an unknown column", () => writer().string("topping"), "column topping: the table has no such string column"],
    ["a column of another type", () => writer().int("order_id"), "column order_id: the table has no such int column"],
  ])("is rejected: %s", (_, push, message) => {
    expect(push).toThrow(message);
  });

  test("includes a row that is missing from some columns", () => {
    const columns = [column("int", 0, false), column("string", 1, false)];
    const unfinished = createTableWriter(columns);
    unfinished.int("c0_int").push(1);
    expect(() => unfinished.finish()).toThrow("column c1_string has 0 rows but c0_int has 1");
  });
});
