import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { limits } from "../../../pipeline/domain/rejection-reasons.ts";
import { unpackRecord } from "../../../pipeline/silver/unpack-record.ts";

function unpack(data: Buffer) {
  return unpackRecord(data).map((event) => ("text" in event ? event.text : event.rejection.reason));
}

const batch = Buffer.from('{"a":1}\n{"b":"é"}\n{"c":3}');

describe("unpacking a stream record", () => {
  it("returns one uncompressed event unchanged, including its newlines", () => {
    expect(unpack(Buffer.from('{\n"a": 1\n}'))).toEqual(['{\n"a": 1\n}']);
  });

  it("unpacks a batch of either compression, with or without a final newline", () => {
    const events = ['{"a":1}', '{"b":"é"}', '{"c":3}'];
    expect(unpack(zstdCompressSync(batch))).toEqual(events);
    expect(unpack(gzipSync(batch))).toEqual(events);
    expect(unpack(gzipSync(Buffer.concat([batch, Buffer.from("\n")])))).toEqual(events);
  });

  it("reads every frame of a batch, not just the first", () => {
    const frames = Buffer.concat([
      zstdCompressSync(Buffer.from('{"a":1}\n')),
      zstdCompressSync(Buffer.from('{"b":2}')),
    ]);
    expect(unpack(frames)).toEqual(['{"a":1}', '{"b":2}']);
  });

  it.each([
    ["cut short", zstdCompressSync(batch).subarray(0, -1)],
    ["only a magic number", zstdCompressSync(batch).subarray(0, 4)],
    ["followed by rubbish", Buffer.concat([zstdCompressSync(batch), Buffer.from("rubbish")])],
    ["gzip cut short", gzipSync(batch).subarray(0, -3)],
    ["gzip with a wrong checksum", Buffer.concat([gzipSync(batch).subarray(0, -8), Buffer.alloc(8)])],
  ])("rejects a whole batch that is %s", (_, record) => {
    expect(unpack(record)).toEqual(["batch_corrupt"]);
  });

  it("rejects a batch that would exhaust memory", () => {
    const bomb = Buffer.alloc(limits.batchBytes + 1, 32);
    expect(unpack(zstdCompressSync(bomb))).toEqual(["batch_too_large"]);
    expect(unpack(gzipSync(bomb))).toEqual(["batch_too_large"]);
    const halves = zstdCompressSync(bomb.subarray(0, limits.batchBytes / 2 + 1));
    expect(unpack(Buffer.concat([halves, halves]))).toEqual(["batch_too_large"]);
  });

  it("rejects one invalid event of a batch and keeps the others", () => {
    const bad = Buffer.concat([Buffer.from('{"a":1}\n"'), Buffer.from([0xc3]), Buffer.from('"\n{"c":3}')]);
    expect(unpack(zstdCompressSync(bad))).toEqual(['{"a":1}', "bad_utf8", '{"c":3}']);
  });

  it("measures an event in bytes", () => {
    const longest = `"${"é".repeat(limits.eventBytes / 2 - 1)}"`;
    expect(unpack(Buffer.from(longest))).toEqual([longest]);
    expect(unpack(Buffer.from(`${longest} `))).toEqual(["event_too_large"]);
  });

  it("never throws, whatever the bytes", () => {
    expect(unpack(Buffer.from([0, 255, 254]))).toEqual(["bad_utf8"]);
    expect(unpack(Buffer.alloc(0))).toEqual([""]);
  });
});
