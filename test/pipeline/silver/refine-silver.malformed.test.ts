import { zstdCompressSync } from "node:zlib";
import { expect, it } from "vitest";
import { limits } from "../../../pipeline/domain/rejection-reasons.ts";
import { order } from "../../support/order-fixture.ts";
import { openSilverPipeline, record } from "./refine-fixture.ts";

const valid = JSON.stringify(order({ order_id: "bad" }));
const batch = zstdCompressSync(Buffer.from(valid));

const garbage: [name: string, bytes: Buffer, reason: string][] = [
  ["binary", Buffer.from([0, 255, 254, 253, 1, 2]), "bad_utf8"],
  ["nothing", Buffer.alloc(0), "not_json"],
  ["a line of a megabyte", Buffer.alloc(1_000_000, "x"), "event_too_large"],
  ["10,000 levels", Buffer.from("[".repeat(10_000) + "]".repeat(10_000)), "too_deep"],
  [
    "10,000 levels in a field",
    Buffer.from(valid.replace('"bad"', `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`)),
    "too_deep",
  ],
  ["a NUL byte", Buffer.from(valid.replace("bad", "b\0d")), "not_json"],
  ["an escaped NUL", Buffer.from(valid.replace("Ada", "A\\u0000a")), "forbidden_character"],
  ["half a surrogate pair", Buffer.from(valid.replace("Ada", "A\\ud83ca")), "forbidden_character"],
  ["half a UTF-8 character", Buffer.concat([Buffer.from(valid.slice(0, -1)), Buffer.from([0xc3])]), "bad_utf8"],
  ["__proto__", Buffer.from(valid.replace("{", '{"__proto__":{"status":"placed"},')), "unknown_key"],
  ["constructor", Buffer.from(valid.replace("{", '{"constructor":1,')), "unknown_key"],
  ["a huge price", Buffer.from(valid.replace("13.25", "1e308")), "money_out_of_range"],
  ["a price beyond all numbers", Buffer.from(valid.replace("13.25", "1e999")), "money_out_of_range"],
  ["a list", Buffer.from("[]"), "wrong_type"],
  ["null", Buffer.from("null"), "wrong_type"],
  ["two events and garbage", Buffer.from(`${valid}${valid}x`), "not_json"],
  ["a key twice", Buffer.from(valid.replace('"status":', '"status":"cancelled","status":')), "duplicate_key"],
  ["UTF-16", Buffer.from(valid, "utf16le"), "bad_utf8"],
];

/** Payloads that cannot be part of a batch, because they are one. */
const records: [name: string, bytes: Buffer, reason: string][] = [
  ["a batch cut short", batch.subarray(0, -5), "batch_corrupt"],
  ["a bomb", zstdCompressSync(Buffer.alloc(limits.batchBytes + 1)), "batch_too_large"],
];

async function refined(...contents: unknown[]) {
  const pipeline = await openSilverPipeline();
  try {
    await pipeline.land(...contents.map((content, n) => record(n, content)));
    const summary = await pipeline.refine();
    await pipeline.publish();
    const [orders, quarantined] = [await pipeline.rows("order_id"), await pipeline.quarantined()];
    return { summary, orders: orders.map((row) => row["order_id"]), quarantined };
  } finally {
    pipeline.close();
  }
}

it("rejects a malformed record with its reason and exact bytes, and leaves the records around it intact", async () => {
  const all = [...garbage, ...records];
  const contents = all.flatMap(([, bytes], n) => [order({ order_id: `good-${n}` }), bytes]);
  const { orders, quarantined } = await refined(...contents, order({ order_id: "last" }));
  expect(orders).toEqual([...all.map((_, n) => `good-${n}`), "last"].toSorted());
  expect(quarantined.map(({ reason }, n) => [all[n]![0], reason])).toEqual(
    all.map(([name, , reason]) => [name, reason]),
  );
  const kept = quarantined.map((row) =>
    row["payload_base64"] === null
      ? Buffer.from(String(row["payload"]))
      : Buffer.from(String(row["payload_base64"]), "base64"),
  );
  expect(kept.map((bytes, n) => [all[n]![0], bytes.equals(all[n]![1])])).toEqual(all.map(([name]) => [name, true]));
});

it("rejects only the malformed event in the middle of a batch", async () => {
  const lines = garbage.filter(([, bytes]) => !bytes.includes(10) && bytes.length > 0);
  const newline = Buffer.from("\n");
  const parts = lines.flatMap(([, bytes], n) => [
    Buffer.from(JSON.stringify(order({ order_id: `good-${n}` }))),
    newline,
    bytes,
    newline,
  ]);
  const { summary, orders, quarantined } = await refined(zstdCompressSync(Buffer.concat(parts)));
  expect(summary).toMatchObject({ accepted: lines.length, quarantined: lines.length, events: 2 * lines.length });
  expect(orders).toEqual(lines.map((_, n) => `good-${n}`).toSorted());
  expect(quarantined.map((row) => [row["record_index"], row["reason"]])).toEqual(
    lines.map(([, , reason], n) => [2 * n + 1, reason]),
  );
});
