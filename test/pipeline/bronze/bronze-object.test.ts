import { gzipSync, zstdCompressSync } from "node:zlib";
import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { parquetMetadata } from "hyparquet";
import { describe, expect, it } from "vitest";
import { bronzeKey, decodeBronze, encodeBronze, parseBronzeKey } from "../../../pipeline/bronze/bronze-object.ts";
import type { StreamRecord } from "../../../pipeline/ports.ts";

const sequenceNumber = (number: number) => `49${String(number).padStart(54, "0")}`;

function recordOf(number: number, data: Uint8Array): StreamRecord {
  return {
    shard: "shardId-000000000001",
    sequenceNumber: sequenceNumber(number),
    partitionKey: `2015-${number}`,
    arrivedAt: Date.parse("2015-01-01T16:38:37.120Z") + number,
    data,
  };
}

const plain = (records: StreamRecord[]) =>
  records.map((record) => ({ ...record, data: Buffer.from(record.data).toString("hex") }));

describe("bronze object", () => {
  it("returns every record exactly, whatever its bytes", async () => {
    const anyRecords = fc.array(
      fc.tuple(fc.uint8Array({ maxLength: 300 }), fc.string({ minLength: 1, unit: "grapheme" })),
      {
        minLength: 1,
        maxLength: 40,
      },
    );
    const property = fc.asyncProperty(anyRecords, async (given) => {
      const records = given.map(([data, partitionKey], number) => ({ ...recordOf(number, data), partitionKey }));
      expect(plain(await decodeBronze(encodeBronze("orders", records)))).toEqual(plain(records));
    });
    await fc.assert(property, { numRuns: 100 });
  });

  it.each([
    ["zstd", zstdCompressSync("batch")],
    ["gzip", gzipSync("batch")],
    ["not UTF-8", Uint8Array.of(0xff, 0xfe, 0x00)],
    ["empty", new Uint8Array()],
    ["a megabyte", randomBytes(1024 * 1024)],
    ["text with NUL", Buffer.from('{"a":"\0"}')],
  ])("keeps a payload that is %s", async (_, data) => {
    const records = [recordOf(1, data), recordOf(2, data)];
    expect(plain(await decodeBronze(encodeBronze("orders", records)))).toEqual(plain(records));
  });

  it("returns records that do not share memory with the bytes they were read from", async () => {
    const body = encodeBronze("orders", [recordOf(1, zstdCompressSync("batch"))]);
    const records = await decodeBronze(body);
    body.fill(0);
    expect(plain(records)).toEqual(plain([recordOf(1, zstdCompressSync("batch"))]));
  });

  it("has only encodings that every Parquet reader knows", () => {
    for (const count of [1, 100]) {
      const records = Array.from({ length: count }, (_, number) => recordOf(number, Buffer.from("{}")));
      const { row_groups: groups } = parquetMetadata(encodeBronze("orders", records).slice().buffer);
      const used = groups.flatMap(({ columns }) => columns.flatMap(({ meta_data: column }) => column!.encodings));
      expect(["PLAIN", "RLE", "RLE_DICTIONARY"]).toEqual(expect.arrayContaining(used));
    }
  });

  it("adds very little to compressed batches, and makes single events smaller", () => {
    const batches = Array.from({ length: 100 }, (_, number) =>
      recordOf(number, Buffer.concat([zstdCompressSync(""), randomBytes(25_000)])),
    );
    const raw = batches.reduce((sum, { data }) => sum + data.length, 0);
    expect(encodeBronze("orders", batches).length - raw).toBeLessThan(100 * 40);
    const events = Array.from({ length: 1000 }, (_, number) =>
      recordOf(number, Buffer.from(JSON.stringify({ order: number, till: "nyc-01-3" }))),
    );
    expect(encodeBronze("orders", events).length).toBeLessThan(events.reduce((sum, { data }) => sum + data.length, 0));
  });

  it("compresses the other columns only if they are long enough to benefit", () => {
    const hasFrame = (count: number) => {
      const batches = Array.from({ length: count }, (_, number) => recordOf(number, gzipSync("batch")));
      return Buffer.from(encodeBronze("orders", batches)).includes(Buffer.of(0x28, 0xb5, 0x2f, 0xfd));
    };
    expect([1, 15, 16, 500].map(hasFrame)).toEqual([false, false, true, true]);
  });

  it("is the same, byte by byte, for the same records", () => {
    const records = () => [recordOf(1, Buffer.from("one")), recordOf(2, Buffer.from("two"))];
    expect(encodeBronze("orders", records())).toEqual(encodeBronze("orders", records()));
  });

  it("has a key that describes its contents and can be parsed", () => {
    const records = [recordOf(1, Buffer.from("one")), recordOf(22, Buffer.from("two"))];
    const key = bronzeKey({ stream: "orders", records, body: encodeBronze("orders", records), landedAt: 0 });
    const range = `${sequenceNumber(1)}-${sequenceNumber(22)}`;
    expect(key).toMatch(
      new RegExp(`^bronze/orders/2015-01-01T16/shardId-000000000001/${range}-2-[0-9a-f]{16}\\.parquet$`),
    );
    expect(parseBronzeKey(key)).toEqual({
      stream: "orders",
      hour: "2015-01-01T16",
      shard: "shardId-000000000001",
      first: sequenceNumber(1),
      last: sequenceNumber(22),
      count: 2,
      hash: key.slice(-24, -8),
    });
  });

  it("has the hour of landing in its key, so that a record that waited for days is among the new ones", () => {
    const records = [recordOf(1, Buffer.from("one"))];
    const body = encodeBronze("orders", records);
    const landedAt = Date.parse("2015-01-05T09:59:00Z");
    expect(parseBronzeKey(bronzeKey({ stream: "orders", records, body, landedAt }))?.hour).toBe("2015-01-05T09");
  });

  it("pads short sequence numbers so that keys sort as the numbers do", () => {
    const keyFor = (number: string) => {
      const records = [{ ...recordOf(1, Buffer.from("one")), sequenceNumber: number }];
      return bronzeKey({ stream: "orders", records, body: Buffer.from(number), landedAt: 0 });
    };
    expect(keyFor("9") < keyFor("10")).toBe(true);
    expect(parseBronzeKey(keyFor("10"))?.first).toBe("10");
    expect(parseBronzeKey(keyFor("0"))?.first).toBe("0");
  });

  it("has a different key for different content of the same range", () => {
    const keyFor = (text: string) => {
      const records = [recordOf(1, Buffer.from(text))];
      return bronzeKey({ stream: "orders", records, body: encodeBronze("orders", records), landedAt: 0 });
    };
    expect(keyFor("one")).not.toBe(keyFor("two"));
  });

  it("rejects records of two shards, and an empty list", () => {
    const records = [
      recordOf(1, Buffer.from("a")),
      { ...recordOf(2, Buffer.from("b")), shard: "shardId-000000000002" },
    ];
    expect(() => bronzeKey({ stream: "orders", records, body: new Uint8Array(), landedAt: 0 })).toThrow(
      "land them separately",
    );
    expect(() => bronzeKey({ stream: "orders", records: [], body: new Uint8Array(), landedAt: 0 })).toThrow(
      "no records",
    );
  });

  it.each([
    "",
    "bronze/orders/x.parquet",
    "silver/order_lines/_delta_log/0.json",
    "bronze/orders/2015-01-01T16/s/1-2-3-ab.parquet",
  ])("does not treat %j as the key of a bronze object", (key) => expect(parseBronzeKey(key)).toBeUndefined());
});
