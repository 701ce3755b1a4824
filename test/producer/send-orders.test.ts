import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Batching, Outgoing } from "../../producer/batch-builder.ts";
import { createSender } from "../../producer/send-orders.ts";
import { createMemorySink, soon, unpack, type Mood } from "./memory-sink.ts";

/** The event of a till with that number; a malformed one has bytes that a batch cannot contain. */
function event(till: number, number: number, isGarbage = false): Outgoing {
  const text = JSON.stringify({ order_id: `o-${till}-${number}`, till, number });
  const bytes = isGarbage ? Buffer.concat([Buffer.from(text), Buffer.from([0x0a, 0xff])]) : Buffer.from(text);
  return { producerId: `till-${till}`, bytes };
}

const asText = ({ bytes }: Outgoing): string => Buffer.from(bytes).toString("latin1");
const never = (): Promise<void> => new Promise(() => {});

/** The first arrival of each event, by till. */
function arrivedByTill(texts: readonly string[]): Map<unknown, string[]> {
  return Map.groupBy(new Set(texts), (text) => JSON.parse(text.split("\n")[0]!).till);
}

describe("whatever failures the stream has", () => {
  const moods = fc.array(fc.constantFrom<Mood>("fine", "some", "throws", "answer lost"), { maxLength: 30 });
  const sends = fc.array(fc.tuple(fc.nat(5), fc.boolean(), fc.boolean()), { maxLength: 120 });

  test.each<Batching>(["zstd", "gzip", "off"])(
    "with batching %s, nothing is lost, and each till's events stay in order",
    async (batch) => {
      await fc.assert(
        fc.asyncProperty(moods, sends, fc.integer({ min: 1, max: 5 }), async (calls, plan, shards) => {
          const sink = createMemorySink({ shards, moods: calls });
          const sender = createSender({ sink, sleep: soon, batch, batchBytes: 200, maxAttempts: 100 });
          const sent = plan.map(([till, isGarbage], number) => event(till, number, isGarbage && number % 3 === 0));
          const promises: Promise<void>[] = [];
          for (const [index, outgoing] of sent.entries()) {
            promises.push(sender.send(outgoing));
            if (plan[index]![2]) await soon();
          }
          const summary = await sender.close();
          await Promise.all(promises);
          expect(arrivedByTill(sink.stored.flatMap(unpack))).toEqual(arrivedByTill(sent.map(asText)));
          expect(summary.events).toBe(sent.length);
          const isSure = !calls.includes("answer lost");
          expect(!isSure || sink.stored.flatMap(unpack).length === sent.length).toBe(true);
        }),
        { numRuns: 150 },
      );
    },
  );

  test("a slot has at most one record in flight", async () => {
    await fc.assert(
      fc.asyncProperty(moods, async (calls) => {
        const sink = createMemorySink({ shards: 2, moods: calls });
        const sender = createSender({ sink, sleep: soon, batchBytes: 100, maxAttempts: 100 });
        for (let number = 0; number < 60; number++) void sender.send(event(number % 6, number));
        await sender.close();
        for (const call of sink.calls) {
          expect(new Set(call.map((record) => record.partitionKey)).size).toBe(call.length);
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe("batches", () => {
  test("close at their maximum size and contain one event per line", async () => {
    const sink = createMemorySink({ shards: 1 });
    const sender = createSender({ sink, sleep: never, batchBytes: 1000 });
    const sent = Array.from({ length: 100 }, (_, number) => event(1, number));
    for (const outgoing of sent) void sender.send(outgoing);
    await sender.close();
    const batches = sink.stored.map(unpack);
    expect(batches.flat()).toEqual(sent.map(asText));
    for (const lines of batches) expect(lines.join("\n").length).toBeLessThanOrEqual(1000);
    // No batch had space for the next batch's first event.
    for (const [index, lines] of batches.slice(0, -1).entries()) {
      expect([...lines, batches[index + 1]![0]].join("\n").length).toBeGreaterThan(1000);
    }
  });

  test.each([
    ["three events fit exactly", 2, [3, 3]],
    ["the third event is one byte too long", 1, [2, 2, 2]],
  ])("include the newlines in their size: %s", async (_, newlines, expected) => {
    const sink = createMemorySink({ shards: 1 });
    const { length } = event(1, 0).bytes;
    const sender = createSender({ sink, sleep: never, batchBytes: 3 * length + newlines });
    for (let number = 0; number < 6; number++) void sender.send(event(1, number));
    await sender.close();
    expect(sink.stored.map((record) => unpack(record).length)).toEqual(expected);
  });

  test("close at their maximum number of events, without waiting for the next one", async () => {
    const sink = createMemorySink({ shards: 1 });
    const sender = createSender({ sink, sleep: never, batchEvents: 7 });
    for (let number = 0; number < 14; number++) await sender.send(event(1, number));
    for (let turn = 0; turn < 5; turn++) await soon();
    expect(sink.stored).toHaveLength(2);
    for (let number = 14; number < 20; number++) await sender.send(event(1, number));
    await sender.close();
    expect(sink.stored.map((record) => unpack(record).length)).toEqual([7, 7, 6]);
  });

  test("have the same bytes whenever the events arrive, if they have no linger timeout", async () => {
    const records: Buffer[][] = [];
    for (const isSlow of [false, true]) {
      const sink = createMemorySink({ shards: 3 });
      const sender = createSender({ sink, lingerMs: Infinity, batchBytes: 700 });
      for (let number = 0; number < 90; number++) {
        if (isSlow && number % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 3));
        await sender.send(event(number % 7, number));
      }
      await sender.close();
      records.push(
        sink.stored
          .toSorted((a, b) => Number(a.partitionKey > b.partitionKey) - Number(a.partitionKey < b.partitionKey))
          .map(({ data }) => Buffer.from(data)),
      );
    }
    expect(records[0]!.length).toBeGreaterThan(6);
    expect(records[1]).toEqual(records[0]);
  });

  test("are sent when their first event has lingered, and not before", async () => {
    const sink = createMemorySink({ shards: 1 });
    const asked: number[] = [];
    const wakes: (() => void)[] = [];
    const sleep = (milliseconds: number): Promise<void> => {
      asked.push(milliseconds);
      return new Promise((resolve) => wakes.push(resolve));
    };
    const sender = createSender({ sink, sleep, lingerMs: 40 });
    await sender.send(event(1, 0));
    await sender.send(event(1, 1));
    await soon();
    expect(sink.calls).toHaveLength(0);
    expect(asked).toEqual([40]);
    wakes[0]!();
    await soon();
    await soon();
    expect(sink.stored.map(unpack)).toEqual([[event(1, 0), event(1, 1)].map(asText)]);
  });

  test("are not closed by an earlier batch's late timer", async () => {
    const sink = createMemorySink({ shards: 1 });
    const wakes: (() => void)[] = [];
    const sender = createSender({ sink, sleep: () => new Promise((resolve) => wakes.push(resolve)) });
    await sender.send(event(1, 0));
    await sender.flush();
    await sender.send(event(1, 1));
    wakes[0]!();
    await soon();
    await soon();
    expect(sink.stored).toHaveLength(1);
    await sender.close();
    expect(sink.stored).toHaveLength(2);
  });

  test("are sent to the middle of their shard's hash keys", async () => {
    const sink = createMemorySink({ shards: 2 });
    const sender = createSender({ sink, sleep: soon });
    for (let till = 0; till < 20; till++) await sender.send(event(till, till));
    await sender.close();
    const keys = new Map(sink.stored.map((record) => [record.partitionKey, record.explicitHashKey]));
    expect(keys).toEqual(
      new Map([
        ["lane-0", String(2n ** 126n)],
        ["lane-1", String(3n * 2n ** 126n)],
      ]),
    );
  });
});

describe("an event that cannot be batched", () => {
  test.each([
    ["a newline", Buffer.from('{"a":\n1}')],
    ["bytes that are not UTF-8", Buffer.from([0xc3, 0x28])],
    ["its lack of bytes", Buffer.alloc(0)],
  ])("because of %s is sent as a separate record, between the events around it", async (_, bytes) => {
    const sink = createMemorySink({ shards: 1 });
    const sender = createSender({ sink, sleep: never });
    await sender.send(event(1, 0));
    await sender.send({ producerId: "till-1", bytes });
    await sender.send(event(1, 1));
    await sender.close();
    expect(sink.stored.map(unpack)).toEqual([[asText(event(1, 0))], [bytes.toString("latin1")], [asText(event(1, 1))]]);
  });

  test("is sent alone if it is longer than a batch, and rejected if it is longer than a record", async () => {
    const sink = createMemorySink({ shards: 1 });
    const sender = createSender({ sink, sleep: never });
    await sender.send({ producerId: "till-1", bytes: Buffer.alloc(600_000, "x") });
    await expect(sender.send({ producerId: "till-1", bytes: Buffer.alloc(1_100_000, "x") })).rejects.toThrow(
      /event of till-1: 1100000 bytes exceed the record limit/,
    );
    expect((await sender.close()).events).toBe(1);
    expect(sink.stored[0]!.data).toHaveLength(600_000);
  });
});

describe("without batching", () => {
  test("each event is a record with its order id as partition key, and the stream chooses the shard", async () => {
    const sink = createMemorySink();
    const sender = createSender({ sink, sleep: soon, batch: "off" });
    await sender.send(event(1, 0));
    await sender.send({ producerId: "till-1", bytes: Buffer.from("no json") });
    await sender.close();
    expect(sink.stored.map((record) => record.partitionKey)).toEqual(["o-1-0", "till-1"]);
    expect(sink.stored[0]).not.toHaveProperty("explicitHashKey");
  });
});

describe("failures", () => {
  test("only failed records are retried and counted", async () => {
    const sink = createMemorySink({ shards: 2, moods: ["some"] });
    const sender = createSender({ sink, sleep: soon });
    for (let till = 0; till < 20; till++) void sender.send(event(till, till));
    const summary = await sender.close();
    expect(sink.stored.flatMap(unpack)).toHaveLength(20);
    expect(summary).toMatchObject({ events: 20, records: 2, retries: 1 });
  });

  test("the backoff doubles with each attempt, up to five seconds", async () => {
    const sink = createMemorySink({ shards: 1, moods: Array.from({ length: 9 }, () => "throws" as const) });
    const waits: number[] = [];
    const sleep = (milliseconds: number): Promise<void> => {
      waits.push(milliseconds);
      return soon();
    };
    const sender = createSender({ sink, sleep, random: () => 1, lingerMs: 7 });
    await sender.send(event(1, 0));
    await sender.close();
    expect(waits.filter((wait) => wait !== 7)).toEqual([50, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
  });

  test("a slot that backs off is not sent, and does not block the others", async () => {
    const sink = createMemorySink({ shards: 2, moods: ["some"] });
    let wake = (): void => {};
    const sleep = (milliseconds: number): Promise<void> =>
      milliseconds === 7 ? never() : new Promise((resolve) => (wake = resolve));
    const sender = createSender({ sink, sleep, lingerMs: 7, batchEvents: 1 });
    for (let till = 0; till < 12; till++) void sender.send(event(till, till));
    for (let turn = 0; turn < 20; turn++) await soon();
    // The first call's first slot was rejected, and all later records are the other slot's.
    const rejected = sink.calls[0]![0]!.partitionKey;
    expect(
      sink.calls
        .slice(1)
        .flat()
        .map((record) => record.partitionKey),
    ).not.toContain(rejected);
    expect(sink.stored.length).toBeGreaterThan(0);
    wake();
    expect((await sender.close()).events).toBe(12);
  });

  test("attempts are counted per record, not per slot", async () => {
    const moods = Array.from({ length: 20 }, (_, call): Mood => (call % 2 === 0 ? "throws" : "fine"));
    const sink = createMemorySink({ shards: 1, moods });
    const sender = createSender({ sink, sleep: soon, batchEvents: 1, maxAttempts: 2 });
    for (let number = 0; number < 10; number++) void sender.send(event(1, number));
    expect(await sender.close()).toMatchObject({ events: 10, retries: 10, calls: 20 });
  });

  test("the backoff has jitter, so that senders do not retry simultaneously", async () => {
    const sink = createMemorySink({ shards: 1, moods: ["throws"] });
    const waits: number[] = [];
    const sleep = (milliseconds: number): Promise<void> => {
      waits.push(milliseconds);
      return soon();
    };
    const sender = createSender({ sink, sleep, random: () => 0, lingerMs: 7 });
    await sender.send(event(1, 0));
    await sender.close();
    expect(waits).toEqual([7, 25]);
  });

  test("after the last attempt every pending call fails with the number of unsent events and the reason", async () => {
    const sink = createMemorySink({ shards: 1, moods: ["throws", "throws", "throws"] });
    const sender = createSender({ sink, sleep: soon, maxAttempts: 3, batchEvents: 10 });
    const sends = Array.from({ length: 100 }, (_, number) => sender.send(event(1, number)));
    const results = await Promise.allSettled([...sends, sender.close()]);
    const reasons = results.flatMap((result) => (result.status === "rejected" ? [String(result.reason)] : []));
    expect(reasons.length).toBeGreaterThan(10);
    expect(new Set(reasons).size).toBe(1);
    expect(reasons[0]).toMatch(
      /sender: 100 of 100 events are unsent: 3 attempts failed.*connection reset.*send them again/,
    );
    await expect(sender.send(event(1, 101))).rejects.toThrow(/unsent/);
  });

  test("the error of a stream that cannot list its shards has its cause", async () => {
    const cause = new Error("no such stream");
    const sink = { ...createMemorySink(), openShards: () => Promise.reject(cause) };
    const sender = createSender({ sink, sleep: soon });
    await expect(sender.send(event(1, 0))).rejects.toMatchObject({ message: /no such stream/, cause });
  });

  test("a listener that throws stops the sender instead of the process", async () => {
    const sender = createSender({
      sink: createMemorySink(),
      sleep: soon,
      onProgress: () => {
        throw new Error("no terminal");
      },
    });
    void sender.send(event(1, 0)).catch(() => {});
    void sender.send(event(2, 0)).catch(() => {});
    await soon();
    await sender.flush().catch(() => {});
    await soon();
    await expect(sender.send(event(1, 1))).rejects.toThrow(/no terminal/);
  });

  test("an event after the sender is closed is rejected", async () => {
    const sender = createSender({ sink: createMemorySink(), sleep: soon });
    await sender.close();
    await expect(sender.send(event(1, 0))).rejects.toThrow(/closed/);
  });
});

describe("a call", () => {
  const bytes = Buffer.alloc(600_000, "x");

  test("has at most 5 MiB, and slots without space come first in the next call", async () => {
    const sink = createMemorySink({ shards: 12 });
    const sender = createSender({ sink, sleep: never });
    for (let turn = 0; turn < 3; turn++) {
      for (let till = 0; till < 60; till++) void sender.send({ producerId: `till-${till}`, bytes });
    }
    await sender.close();
    const sizes = sink.calls.map((call) => call.reduce((sum, { data }) => sum + data.length, 0));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(5 * 1024 * 1024);
    const [, second, third] = sink.calls.map((call) => call.map((record) => record.partitionKey));
    expect(new Set([...second!, ...third!]).size).toBe(12);
  });

  test("has at most 500 records", async () => {
    const sink = createMemorySink({ shards: 600 });
    const sender = createSender({ sink, sleep: never });
    for (let till = 0; till < 3000; till++) void sender.send(event(till, 0));
    expect((await sender.close()).events).toBe(3000);
    expect(Math.max(...sink.calls.map((call) => call.length))).toBe(500);
  });
});

describe("under backpressure", () => {
  test("the caller waits while the stream is behind, and continues when it has caught up", async () => {
    let letGo = (): void => {};
    const gate = new Promise<void>((resolve) => (letGo = resolve));
    const inner = createMemorySink({ shards: 1 });
    const sink = {
      ...inner,
      putRecords: async (records: Parameters<typeof inner.putRecords>[0]) => {
        await gate;
        return inner.putRecords(records);
      },
    };
    const sender = createSender({ sink, sleep: never, batchEvents: 1 });
    let accepted = 0;
    const run = (async () => {
      for (; accepted < 50; accepted++) await sender.send(event(1, accepted));
    })();
    await soon();
    expect(accepted).toBeLessThan(10);
    letGo();
    await run;
    expect((await sender.close()).events).toBe(50);
  });

  test("progress is reported after every call, with increasing numbers", async () => {
    const told: number[] = [];
    const sender = createSender({
      sink: createMemorySink({ shards: 1 }),
      sleep: soon,
      batchEvents: 5,
      onProgress: ({ events }) => told.push(events),
    });
    for (let number = 0; number < 20; number++) await sender.send(event(1, number));
    await sender.close();
    expect(told).toEqual([5, 10, 15, 20]);
  });
});
