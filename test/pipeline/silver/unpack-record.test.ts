import { readFileSync } from "node:fs";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { limits } from "../../../pipeline/domain/rejection-reasons.ts";
import { aggregated } from "../../../pipeline/silver/aggregated-record.ts";
import { createEventReader, eventOf, rewriteRecord, unpackRecord } from "../../../pipeline/silver/unpack-record.ts";
import { aggregate, field, userRecord } from "./aggregated.ts";

function unpack(data: Buffer) {
  return unpackRecord(data).map(({ bytes, rejection }) => {
    if (rejection !== undefined) return rejection.reason;
    const event = eventOf(bytes);
    return "text" in event ? event.text : event.rejection.reason;
  });
}

const publicCase = (name: string) => new URL(`../../fixtures/public-cases/${name}`, import.meta.url);

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
    ["followed by garbage", Buffer.concat([zstdCompressSync(batch), Buffer.from("garbage")])],
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

describe("bytes of a record that no event contains", () => {
  const [first, second] = ['{"a":1}\n', '{"b":2}\n'] as const;
  const skippable = (content: string) =>
    Buffer.concat([Buffer.from([0x53, 0x2a, 0x4d, 0x18, content.length, 0, 0, 0]), Buffer.from(content)]);
  const both = ['{"a":1}', '{"b":2}'];

  it.each([
    ["two gzip members", Buffer.concat([gzipSync(first), gzipSync(second)]), both],
    [
      "zstd frames after a skippable one",
      Buffer.concat([skippable("size"), zstdCompressSync(first), skippable("size"), zstdCompressSync(second)]),
      both,
    ],
    ["a skippable frame at the end", Buffer.concat([zstdCompressSync(first), skippable("")]), ['{"a":1}']],
    [
      "a gzip member whose first byte is spoilt",
      Buffer.concat([gzipSync(first), gzipSync(second).fill(0, 0, 1)]),
      ["batch_corrupt"],
    ],
    ["a gzip member and zeros", Buffer.concat([gzipSync(first), Buffer.alloc(7)]), ["batch_corrupt"]],
    ["a gzip member and text", Buffer.concat([gzipSync(first), Buffer.from(second)]), ["batch_corrupt"]],
    [
      "a byte between two gzip members",
      Buffer.concat([gzipSync(first), Buffer.from([0]), gzipSync(second)]),
      ["batch_corrupt"],
    ],
    [
      "a second gzip member cut short",
      Buffer.concat([gzipSync(first), gzipSync(second).subarray(0, 12)]),
      ["batch_corrupt"],
    ],
    ["a gzip member and a zstd frame", Buffer.concat([gzipSync(first), zstdCompressSync(second)]), ["batch_corrupt"]],
    [
      "a byte between two zstd frames",
      Buffer.concat([zstdCompressSync(first), Buffer.from([0]), zstdCompressSync(second)]),
      ["batch_corrupt"],
    ],
    [
      "a skippable frame cut short",
      Buffer.concat([zstdCompressSync(first), skippable("size").subarray(0, -1)]),
      ["batch_corrupt"],
    ],
    [
      "the header of a skippable frame cut short",
      Buffer.concat([zstdCompressSync(first), skippable("size").subarray(0, 6)]),
      ["batch_corrupt"],
    ],
    [
      "a skippable frame with an event",
      Buffer.concat([zstdCompressSync(first), skippable('{"order_id":"b"}  ')]),
      ["batch_corrupt"],
    ],
  ])("are an error: %s", (_, record, events) => {
    expect(unpack(record)).toEqual(events);
  });
});

describe("the framing of events", () => {
  const [a, b, c] = ['{"a":[1,{"x":"}\\"{"}]}', '{"b":{}}', '{"c":"é"}'];
  const pretty = JSON.stringify({ a: [1, { b: [] }], c: "{" }, undefined, 2);

  it.each([
    ["lines", `${a}\n${b}\n${c}\n`, [a, b, c]],
    ["lines that end as on Windows", `${a}\r\n${b}\r\n${c}`, [a, b, c]],
    ["several on a line", `${a}${b} ${c}`, [a, b, c]],
    ["several on each line", `${a}${b}\n${c}${a}`, [a, b, c, a]],
    ["a text sequence", `\x1e${a}\n\x1e${b}\n\x1e${c}\n`, [a, b, c]],
    ["a text sequence without newlines", `\x1e${a}\x1e${b}`, [a, b]],
    ["an array", `[${a}, ${b},\n${c}]`, [a, b, c]],
    ["an array of one", ` [ ${b} ] `, [b]],
    ["arrays on lines", `[${a},${b}]\n[${c}]`, [a, b, c]],
    ["one pretty-printed event", pretty, [pretty]],
    ["pretty-printed events", `${pretty}\n${pretty}${b}\n`, [pretty, pretty, b]],
    [
      "a pretty-printed array",
      JSON.stringify([{ a: 1 }, { b: 2 }], undefined, 1),
      ['{\n  "a": 1\n }', '{\n  "b": 2\n }'],
    ],
    ["an array of other values", `[${a},17]`, [`[${a},17]`]],
    ["an empty array", "[]", ["[]"]],
    ["a value that is no object", '"text"', ['"text"']],
    ["a line that is cut off", `${a.slice(0, 9)}\n${b}\n${c.slice(0, 3)}`, [a.slice(0, 9), b, c.slice(0, 3)]],
    ["a line that is cut off after a comma", `{"a":1,\n${b}`, ['{"a":1,', b]],
    ["a line with garbage at its end", `${b}\n${a}${b}x\n${c}`, [b, `${a}${b}x`, c]],
    ["an array that is cut off", `[${a},${b}`, [`[${a},${b}`]],
    ["a pretty-printed event with a comma too much", '{\n  "a": 1,\n}\n{"b":{}}', ['{\n  "a": 1,\n}', b]],
    ["a record separator within a text", `{"a":"\x1e${b}`, ['{"a":"', b]],
  ])("takes %s, compressed or not, and as a user record of the Kinesis Producer Library", (_, text, events) => {
    for (const record of [
      Buffer.from(text),
      zstdCompressSync(text),
      gzipSync(text),
      aggregate(text),
      aggregate(gzipSync(text)),
    ]) {
      expect(unpack(record)).toEqual(events);
    }
  });

  it.each([
    ["a byte order mark", "\ufeff"],
    ["NUL", "\0\0"],
    ["a no-break space", "\u00a0"],
    ["a zero width space", "\u200b"],
    ["a next line", "\u0085"],
    ["an ideographic space and a word joiner", "\u3000\u2060"],
    ["a line separator", "\u2028"],
    ["a form feed and the end of a DOS file", "\f\x1a"],
  ])("skips %s around an event", (_, char) => {
    const text = `${char}${a}${char}\n${char} ${b}${char}${c}${char}\r\n${char}`;
    for (const record of [Buffer.from(text), zstdCompressSync(text), aggregate(text)]) {
      expect(unpack(record)).toEqual([a, b, c]);
    }
  });

  it.each(["utf16le", "utf-16be", "utf-32le"])("names the encoding of text in %s", (encoding) => {
    for (const mark of ["", "\ufeff"]) {
      const [event, ...others] = unpackRecord(encoded(`${mark}{"order_id":"7"}\n{}`, encoding));
      expect(others).toEqual([]);
      expect(eventOf(event!.bytes)).toMatchObject({ rejection: { detail: expect.stringContaining("UTF-16") } });
    }
  });

  it("keeps the index that each event had when every line of a batch was one event", () => {
    const indexes = (data: Buffer) => unpackRecord(data).map(({ index }) => index);
    expect(indexes(zstdCompressSync(`${a}\n\n\n${b}\ngarbage\n${c}`))).toEqual([0, 3, 4, 5]);
    expect(indexes(gzipSync(`${a}${b}\n${c}\n\n${a}`))).toEqual([0, 1, 2, 3]);
    expect(indexes(Buffer.from(`\n\n${a}\n\n${b}`))).toEqual([0, 1]);
    expect(indexes(aggregate(`${a}\n${b}`, zstdCompressSync(`${a}\n\n${b}`), c))).toEqual([0, 1, 2, 4, 5]);
  });

  it("includes the last byte of a record that is not a batch in an unreadable event", () => {
    for (const text of ["garbage\nand more\n", "\0\n", "  ", `${a}}\n`])
      expect(unpack(Buffer.from(text))).toEqual([text]);
  });
});

describe("a record of the Kinesis Producer Library", () => {
  const event = '{"a":1}';
  it("yields each of its user records, including empty ones and ones that cannot be unpacked", () => {
    expect(unpack(aggregate(event, "", gzipSync(event).subarray(0, -4), event))).toEqual([
      event,
      "",
      "batch_corrupt",
      event,
    ]);
    expect(unpack(readFileSync(publicCase("a07-kpl-record.bin"))).map((text) => JSON.parse(text).order_id)).toEqual([
      "a06-1",
      "a06-2",
    ]);
  });

  it.each([
    ["another digest", aggregate(event).fill(0, aggregate(event).length - 1)],
    ["no digest", aggregate(event).subarray(0, 10)],
    ["only its magic number", Buffer.from([0xf3, 0x89, 0x9a, 0xc2])],
    ["bytes behind its digest", Buffer.concat([aggregate(event), Buffer.from("\n")])],
    ["a field that is not known", aggregated(Buffer.concat([userRecord(event), field(4, Buffer.from(event))]))],
    [
      "a field of a user record that is not known",
      aggregated(field(3, Buffer.concat([field(3, Buffer.from(event)), field(5, Buffer.from(event))]))),
    ],
    ["a user record without data", aggregated(field(3, Buffer.from([8, 0])))],
    [
      "a user record with two events in two fields",
      aggregated(field(3, Buffer.concat([field(3, Buffer.from(event)), field(3, Buffer.from(event))]))),
    ],
    ["a length beyond its end", aggregated(Buffer.from([26, 100, 1]))],
    ["a number without an end", aggregated(Buffer.from([26, 255, 255]))],
  ])("is rejected with %s", (_, record) => {
    const events = unpackRecord(record);
    expect(events).toMatchObject([
      { index: 0, bytes: record, rejection: { reason: "batch_corrupt", detail: expect.stringContaining("KPL") } },
    ]);
  });

  it.each([
    ["a batch in a batch", zstdCompressSync(zstdCompressSync(event))],
    ["a batch of the other kind", gzipSync(zstdCompressSync(event))],
    ["an aggregated record in a batch", gzipSync(aggregate(event))],
    ["an aggregated record in another", aggregate(aggregate(event))],
    ["a batch in a batch in an aggregated record", aggregate(gzipSync(gzipSync(event)))],
    ["a batch on a line of a batch", gzipSync(Buffer.concat([Buffer.from(`\n`), zstdCompressSync(event).fill(1, 8)]))],
  ])("or a batch is not unpacked without end: %s", (_, record) => {
    expect(unpackRecord(record)).toMatchObject([
      {
        isPacked: true,
        rejection: { reason: "batch_corrupt", detail: expect.stringContaining("batch within a batch") },
      },
    ]);
  });

  it("may unpack to no more than the limit of one batch, across all its user records", () => {
    const half = zstdCompressSync(Buffer.alloc(limits.batchBytes / 2 + 1, "x"));
    expect(unpack(aggregate(half, half)).slice(1)).toEqual(["batch_too_large"]);
  });
});

describe("a record of many", () => {
  it("empty lines is read up to a limit, and is one rejected event beyond it", () => {
    const lines = (count: number) => Buffer.from(`{"a":1}\n${"\r\n".repeat(count)}{"b":2}`);
    for (const pack of [(bytes: Buffer) => bytes, zstdCompressSync, gzipSync, (bytes: Buffer) => aggregate(bytes)]) {
      expect(unpack(pack(lines(limits.emptyLines)))).toEqual(['{"a":1}', '{"b":2}']);
      expect(unpackRecord(pack(lines(limits.emptyLines + 1)))).toMatchObject([
        {
          index: 0,
          bytes: lines(limits.emptyLines + 1),
          rejection: { reason: "batch_too_large", detail: expect.stringContaining("empty lines") },
        },
      ]);
    }
    expect(unpack(zstdCompressSync(Buffer.alloc(limits.batchBytes, "\n")))).toEqual(["batch_too_large"]);
  });

  it.each([
    ["lines", "{}\n"],
    ["on one line", "{}"],
    ["that are garbage", "x\n"],
  ])("events is one event beyond a limit: %s", (_, event) => {
    expect(unpack(zstdCompressSync(event.repeat(limits.batchEvents)))).toHaveLength(limits.batchEvents);
    expect(unpack(zstdCompressSync(event.repeat(limits.batchEvents + 1)))).toEqual(["batch_too_large"]);
  });

  it("events on one line is not read beyond the limit, where the line may be millions of events long", () => {
    const line = (count: number) => zstdCompressSync(`${"{}".repeat(count)} cut`);
    expect(unpackRecord(line(limits.batchEvents))).toHaveLength(1);
    expect(unpack(line(limits.batchEvents))).not.toEqual(["batch_too_large"]);
    expect(unpack(line(limits.batchEvents + 1))).toEqual(["batch_too_large"]);
  });

  it("events in an array is one event beyond a limit", () => {
    const array = (count: number) => zstdCompressSync(`[${"{},".repeat(count - 1)}{}]`);
    expect(unpack(array(limits.batchEvents))).toHaveLength(limits.batchEvents);
    expect(unpack(array(limits.batchEvents + 1))).toEqual(["batch_too_large"]);
  });

  it.each([
    ["unclosed objects", '{"a":\n'],
    ["unclosed arrays", "[\n"],
    ["unclosed arrays of numbers", "[1,\n"],
    ["braces", "{"],
  ])("%s is split in linear time", (_, piece) => {
    const started = performance.now();
    unpackRecord(zstdCompressSync(piece.repeat(limits.batchBytes / 2 / piece.length)));
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

describe("rewriting a record", () => {
  const [a, b] = ['{"a":1}', '{"b":2}'];
  const replace = (event: Buffer) => (event.toString() === b ? Buffer.from('{"b":"longer"}') : undefined);

  it("replaces an event within its frame, and keeps every other byte", () => {
    const [text, rewritten] = [b, '{"b":"longer"}'].map((event) => `\ufeff${a} ${event}\r\n[${event}]\n`);
    expect(Buffer.from(rewriteRecord(Buffer.from(text!), replace)!).toString()).toBe(rewritten);
    expect(rewriteRecord(zstdCompressSync(text!), replace)).toEqual(zstdCompressSync(rewritten!));
    expect(rewriteRecord(gzipSync(text!), replace)).toEqual(gzipSync(rewritten!));
    expect(rewriteRecord(aggregate(a, text!, gzipSync(text!)), replace)).toEqual(
      aggregate(a, rewritten!, gzipSync(rewritten!)),
    );
  });

  it("returns nothing if no event changes, and does not inspect nested batches", () => {
    expect(rewriteRecord(aggregate(a, gzipSync(a)), replace)).toBeUndefined();
    expect(rewriteRecord(gzipSync(gzipSync(b)), () => Buffer.from("x"))).toBeUndefined();
  });
});

describe("an event reader", () => {
  it("copies events, so that they do not keep their batch in memory", () => {
    const record = zstdCompressSync(`{"a":1}\n{"b":2}${" ".repeat(1_000_000)}`);
    const read = createEventReader();
    expect(read(record, 1).toString()).toBe('{"b":2}');
    expect(read(record, 0).buffer.byteLength).toBeLessThan(100_000);
    expect(() => read(record, 2)).toThrow("no event 2");
  });
});

function encoded(text: string, encoding: string): Buffer {
  if (encoding === "utf16le") return Buffer.from(text, "utf16le");
  if (encoding === "utf-16be") return Buffer.from(text, "utf16le").swap16();
  return Buffer.concat(
    Array.from(text, (char) => Buffer.from([char.charCodeAt(0) & 255, char.charCodeAt(0) >> 8, 0, 0])),
  );
}
