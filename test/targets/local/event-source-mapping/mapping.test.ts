import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openFolderStore } from "../../../../adapters/folder-store.ts";
import { decodeFailedBatch } from "../../../../pipeline/bronze/on-failure-objects.ts";
import type { ObjectStore, StreamRecord } from "../../../../pipeline/ports.ts";
import {
  type EventSourceMapping,
  type MappingEvent,
  type MappingSettings,
  startEventSourceMapping,
} from "../../../../targets/local/event-source-mapping/mapping.ts";
import { openStreamLog, type StreamLog } from "../../../../targets/local/stream/stream-log.ts";

const keysOf = (records: StreamRecord[]) => records.map(({ partitionKey }) => partitionKey);

describe("event source mapping", () => {
  let dir: string;
  let stream: StreamLog;
  let onFailure: ObjectStore;
  let now: number;
  let calls: string[][];
  let events: MappingEvent[];
  const running: EventSourceMapping[] = [];

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "mapping-"));
    now = Date.parse("2015-01-01T12:00:00Z");
    stream = await openStreamLog({ dir: join(dir, "stream"), shards: 1, clock: () => now });
    onFailure = openFolderStore(join(dir, "on-failure"));
    calls = [];
    events = [];
  });

  afterEach(async () => {
    await Promise.all(running.splice(0).map((mapping) => mapping.stop()));
    await stream.close();
    rmSync(dir, { recursive: true });
  });

  function start(settings: Partial<MappingSettings> = {}): EventSourceMapping {
    const { invoke = async () => undefined, ...others } = settings;
    const mapping = startEventSourceMapping({
      stream,
      checkpointDir: join(dir, "checkpoints"),
      invoke: async (records) => {
        calls.push(keysOf(records));
        await invoke(records);
      },
      onFailure,
      batchSize: 100,
      windowMs: 0,
      maximumRetryAttempts: 2,
      maximumRecordAgeMs: -1,
      bisectBatchOnFunctionError: false,
      clock: () => now,
      sleep: async () => undefined,
      onEvent: (event) => events.push(event),
      ...others,
    });
    running.push(mapping);
    return mapping;
  }

  async function put(...keys: (string | number)[]): Promise<void> {
    await stream.putRecords(keys.map((key) => ({ partitionKey: String(key), data: Buffer.from(`data of ${key}`) })));
  }

  async function failedBatches(): Promise<string[][]> {
    const found = await onFailure.list("");
    const bodies = await Promise.all(found.map(({ key }) => onFailure.get(key)));
    return bodies.map((body) => keysOf(decodeFailedBatch(body ?? Buffer.from("{}"))));
  }

  const failsOn =
    (...poison: string[]) =>
    async (records: StreamRecord[]) => {
      if (keysOf(records).some((key) => poison.includes(key))) throw new Error("poison");
    };

  it("calls the function with the records in order, in batches of the size", async () => {
    await put(...Array.from({ length: 25 }, (_, number) => number));
    await start({ batchSize: 10 }).flush();
    expect(calls.map((keys) => keys.length)).toEqual([10, 10, 5]);
    expect(calls.flat().map(Number)).toEqual(Array.from({ length: 25 }, (_, number) => number));
  });

  it("ends a batch before it passes the bytes of one call", async () => {
    const data = Buffer.alloc(300_000);
    await stream.putRecords(Array.from({ length: 6 }, (_, number) => ({ partitionKey: String(number), data })));
    await start({ maxBatchBytes: 1_000_000 }).flush();
    expect(calls).toEqual([
      ["0", "1"],
      ["2", "3"],
      ["4", "5"],
    ]);
  });

  it("delivers a record that is larger than a call by itself rather than never", async () => {
    await stream.putRecords([{ partitionKey: "large", data: Buffer.alloc(1000) }]);
    await put("next");
    await start({ maxBatchBytes: 500 }).flush();
    expect(calls).toEqual([["large"], ["next"]]);
  });

  it("gathers a batch for as long as the window is open, and a drain does not wait for it", async () => {
    const mapping = start({ windowMs: 300_000, batchSize: 4 });
    await put("a");
    await put("b", "c");
    await put("d", "e");
    await mapping.flush();
    expect(calls).toEqual([["a", "b", "c", "d"], ["e"]]);
    await put("f");
    await mapping.flush();
    expect(calls.at(-1)).toEqual(["f"]);
  });

  it("closes the window in time though the clock is set back meanwhile", async () => {
    const called = Promise.withResolvers<void>();
    // The window begins at the first look at the clock; the next one is a day earlier.
    const clock = () => (now -= 86_400_000);
    await put("a");
    start({ windowMs: 20, batchSize: 1000, clock, invoke: async () => called.resolve() });
    await called.promise;
    expect(calls).toEqual([["a"]]);
  });

  it("closes the window when its time is over, with what there is", async () => {
    await put("a");
    const called = Promise.withResolvers<void>();
    start({ windowMs: 20, batchSize: 1000, invoke: async () => called.resolve() });
    await called.promise;
    expect(calls).toEqual([["a"]]);
  });

  it("tries the same batch again until it is taken", async () => {
    await put("a", "b", "c");
    let failures = 2;
    const mapping = start({
      invoke: async () => {
        if (failures-- > 0) throw new Error("not now");
      },
    });
    await mapping.flush();
    expect(calls).toEqual([
      ["a", "b", "c"],
      ["a", "b", "c"],
      ["a", "b", "c"],
    ]);
    expect(mapping.metrics()).toMatchObject({
      invocations: 3,
      errors: 2,
      retries: 2,
      landedRecords: 3,
      onFailureRecords: 0,
    });
  });

  it("waits longer before each attempt", async () => {
    await put("a");
    const waits: number[] = [];
    await start({
      invoke: failsOn("a"),
      maximumRetryAttempts: 12,
      sleep: async (ms) => {
        waits.push(ms);
      },
    }).flush();
    expect(waits.slice(0, 4)).toEqual([100, 200, 400, 800]);
    expect(waits.at(-1)).toBe(30_000);
  });

  it("puts a batch away with its payloads once its attempts are used up, and goes on", async () => {
    await put("a", "b");
    const mapping = start({ invoke: failsOn("b"), batchSize: 2 });
    await mapping.flush();
    await put("c");
    await mapping.flush();
    expect(calls).toEqual([["a", "b"], ["a", "b"], ["a", "b"], ["c"]]);
    expect(await failedBatches()).toEqual([["a", "b"]]);
    expect(mapping.metrics()).toMatchObject({ onFailureRecords: 2, landedRecords: 1 });
  });

  it("splits a batch until the poison record stands alone: it is put away and the others land once", async () => {
    await put("a", "b", "c", "poison", "e", "f", "g", "h");
    const landed: string[] = [];
    const invoke = async (records: StreamRecord[]) => {
      await failsOn("poison")(records);
      landed.push(...keysOf(records));
    };
    const mapping = start({ invoke, bisectBatchOnFunctionError: true });
    await mapping.flush();
    expect(landed).toEqual(["a", "b", "c", "e", "f", "g", "h"]);
    expect(await failedBatches()).toEqual([["poison"]]);
    expect(calls.filter((keys) => keys.join() === "poison")).toHaveLength(3);
    expect(mapping.metrics()).toMatchObject({ bisects: 3, onFailureRecords: 1 });
  });

  it("tries for ever when told so", async () => {
    await put("a");
    let failures = 200;
    await start({
      invoke: async () => {
        if (failures-- > 0) throw new Error("not now");
      },
      maximumRetryAttempts: -1,
    }).flush();
    expect(calls).toHaveLength(201);
    expect(await failedBatches()).toEqual([]);
  });

  it("gives up the records that have become too old, and only them", async () => {
    await put("old");
    now += 50_000;
    await put("young");
    now += 20_000;
    await start({ maximumRecordAgeMs: 60_000 }).flush();
    expect(calls).toEqual([["young"]]);
    expect(await failedBatches()).toEqual([["old"]]);
    expect(events).toContainEqual(
      expect.objectContaining({ type: "sentToOnFailure", condition: "RecordAgeExceeded", records: 1 }),
    );
  });

  it("gives up a record that becomes too old between two attempts", async () => {
    await put("a");
    const sleep = async () => {
      now += 40_000;
    };
    await start({ invoke: failsOn("a"), maximumRetryAttempts: -1, maximumRecordAgeMs: 60_000, sleep }).flush();
    expect(calls).toHaveLength(2);
    expect(await failedBatches()).toEqual([["a"]]);
  });

  it("holds a shard back, checkpoint and all, until the on-failure store has taken the batch", async () => {
    await put("a", "b");
    let rejections = 3;
    const store: ObjectStore = {
      ...onFailure,
      async put(...object) {
        expect(mapping.checkpoints()).toEqual({});
        if (rejections-- > 0) throw new Error("the disk is full");
        return await onFailure.put(...object);
      },
    };
    const mapping = start({ invoke: failsOn("a"), onFailure: store });
    await mapping.flush();
    expect(await failedBatches()).toEqual([["a", "b"]]);
    expect(events.filter(({ type }) => type === "storageFailed")).toHaveLength(3);
  });

  it("counts a call that takes too long as failed", async () => {
    await put("a");
    let isSlow = true;
    const invoke = async () => {
      if (isSlow) await new Promise<void>((resolve) => setTimeout(resolve, 100));
    };
    const sleep = async () => {
      isSlow = false;
    };
    await start({ invoke, timeoutMs: 10, sleep }).flush();
    expect(calls).toEqual([["a"], ["a"]]);
    expect(events).toContainEqual(
      expect.objectContaining({
        type: "failed",
        error: expect.objectContaining({ message: expect.stringContaining("timed out after 10 ms") }),
      }),
    );
  });

  it("goes on from its checkpoints after a restart", async () => {
    await put("a", "b");
    const first = start();
    await first.flush();
    await first.stop();
    await put("c");
    const second = start();
    await second.flush();
    expect(calls).toEqual([["a", "b"], ["c"]]);
    expect(second.checkpoints()).toEqual({ "shardId-000000000000": stream.shards()[0]?.lastSequenceNumber });
  });

  it.each([
    ["lost", (file: string) => rmSync(file)],
    ["torn", (file: string) => writeFileSync(file, '{"seq')],
    ["of another stream", (file: string) => writeFileSync(file, `{"sequenceNumber":"${"1".repeat(56)}"}`)],
  ])("delivers a shard again from its beginning when its checkpoint is %s", async (_, spoil) => {
    await put("a", "b");
    const first = start();
    await first.flush();
    await first.stop();
    const [name = ""] = readdirSync(join(dir, "checkpoints"));
    spoil(join(dir, "checkpoints", name));
    await start().flush();
    expect(calls).toEqual([
      ["a", "b"],
      ["a", "b"],
    ]);
  });

  it("never lets a failing shard hold another one back, and keeps each in order", async () => {
    await stream.reshard(2);
    const [, one, two] = stream.shards();
    const send = (name: string, explicitHashKey = "0") =>
      stream.putRecords([{ partitionKey: name, explicitHashKey, data: Buffer.from(name) }]);
    for (const number of [0, 1, 2]) {
      await send(`one-${number}`, one?.hashRange.start);
      await send(`two-${number}`, two?.hashRange.start);
    }
    const released = Promise.withResolvers<void>();
    const invoke = async (records: StreamRecord[]) => {
      if (records[0]?.partitionKey === "one-0") await released.promise;
      if (records.at(-1)?.partitionKey === "two-2") released.resolve();
    };
    await start({ invoke, batchSize: 1 }).flush();
    expect(calls.flat().filter((key) => key.startsWith("one"))).toEqual(["one-0", "one-1", "one-2"]);
    expect(calls.flat().filter((key) => key.startsWith("two"))).toEqual(["two-0", "two-1", "two-2"]);
  });

  it("drains a parent before it begins with its children, also over a restart and while it runs", async () => {
    await put("a");
    await stream.reshard(2);
    await put("b", "c", "d");
    const first = start({
      invoke: failsOn("a"),
      maximumRetryAttempts: -1,
      sleep: () => new Promise((resolve) => setTimeout(resolve, 1)),
    });
    await expect.poll(() => calls.length).toBeGreaterThan(3);
    await first.stop();
    expect(new Set(calls.flat())).toEqual(new Set(["a"]));

    calls.length = 0;
    const second = start();
    await second.flush();
    expect(calls[0]).toEqual(["a"]);
    expect(calls.flat().toSorted()).toEqual(["a", "b", "c", "d"]);
    await stream.reshard(3);
    await put("e", "f", "g");
    await second.flush();
    await second.stop();
    await start().flush();
    expect(calls.flat().toSorted()).toEqual(["a", "b", "c", "d", "e", "f", "g"]);
  });

  it("drains what was there when it was asked, though more keeps coming", async () => {
    const mapping = start({
      batchSize: 1,
      invoke: async () => {
        await put("more");
      },
    });
    await put("a", "b");
    await mapping.flush();
    expect(calls.flat()).toEqual(expect.arrayContaining(["a", "b"]));
  });

  it("leaves other shards at rest while one keeps a drain waiting", async () => {
    await stream.reshard(2);
    const start1 = stream.shards()[1]?.hashRange.start ?? "";
    await stream.putRecords([{ partitionKey: "a", explicitHashKey: start1, data: Buffer.from("a") }]);
    let reads = 0;
    const counted = {
      ...stream,
      read: (...options: Parameters<StreamLog["read"]>) => ((reads += 1), stream.read(...options)),
    };
    const invoke = () => new Promise<void>((resolve) => setTimeout(resolve, 50));
    await start({ stream: counted, invoke }).flush();
    expect(reads).toBeLessThan(20);
  });

  it("finishes the call under way when it is stopped, begins no other, and ends a drain", async () => {
    await put("a", "b");
    const entered = Promise.withResolvers<void>();
    const leave = Promise.withResolvers<void>();
    const mapping = start({
      batchSize: 1,
      invoke: async () => {
        entered.resolve();
        await leave.promise;
      },
    });
    const drained = mapping.flush().catch(String);
    await entered.promise;
    const stopped = mapping.stop();
    leave.resolve();
    await stopped;
    expect(calls).toEqual([["a"]]);
    expect(await drained).toContain("stopped before the flush completed");
    expect(Object.keys(mapping.checkpoints())).toHaveLength(1);
    await start().flush();
    expect(calls).toEqual([["a"], ["b"]]);
  });

  it("says so when a shard cannot be read", async () => {
    const broken = {
      ...stream,
      read: async () => {
        throw new Error("damaged at byte 7");
      },
    };
    await put("a");
    await expect(start({ stream: broken }).flush()).rejects.toThrow("shard shardId-000000000000 failed");
  });

  it("shows the age of the batch under way, and none at rest", async () => {
    await put("a");
    let age = 0;
    const mapping = start({
      invoke: async () => {
        now += 7000;
        age = mapping.metrics().iteratorAgeMs;
      },
    });
    await mapping.flush();
    expect(age).toBe(7000);
    expect(mapping.metrics().iteratorAgeMs).toBe(0);
  });

  it("refuses settings that Lambda would refuse", () => {
    expect(() => start({ batchSize: 0 })).toThrow("batchSize is 0: give a whole number from 1 to 10000");
    expect(() => start({ windowMs: 300_001 })).toThrow("windowMs is 300001");
  });
});
