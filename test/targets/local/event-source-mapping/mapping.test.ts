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

describe("the event source mapping", () => {
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

  it("invokes the function with records in order, in batches of at most the batch size", async () => {
    await put(...Array.from({ length: 25 }, (_, number) => number));
    await start({ batchSize: 10 }).flush();
    expect(calls.map((keys) => keys.length)).toEqual([10, 10, 5]);
    expect(calls.flat().map(Number)).toEqual(Array.from({ length: 25 }, (_, number) => number));
  });

  it("closes a batch before it exceeds the payload limit of one invocation", async () => {
    const data = Buffer.alloc(300_000);
    await stream.putRecords(Array.from({ length: 6 }, (_, number) => ({ partitionKey: String(number), data })));
    await start({ maxBatchBytes: 1_000_000 }).flush();
    expect(calls).toEqual([
      ["0", "1"],
      ["2", "3"],
      ["4", "5"],
    ]);
  });

  it("delivers a record that exceeds the payload limit in a separate batch", async () => {
    await stream.putRecords([{ partitionKey: "large", data: Buffer.alloc(1000) }]);
    await put("next");
    await start({ maxBatchBytes: 500 }).flush();
    expect(calls).toEqual([["large"], ["next"]]);
  });

  it("collects a batch until the batching window ends, unless it is flushed", async () => {
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

  it("ends the batching window on time even if the clock is set back meanwhile", async () => {
    const called = Promise.withResolvers<void>();
    // The window starts at the first reading of the clock; the next reading is a day earlier.
    const clock = () => (now -= 86_400_000);
    await put("a");
    start({ windowMs: 20, batchSize: 1000, clock, invoke: async () => called.resolve() });
    await called.promise;
    expect(calls).toEqual([["a"]]);
  });

  it("delivers an incomplete batch when the batching window ends", async () => {
    await put("a");
    const called = Promise.withResolvers<void>();
    start({ windowMs: 20, batchSize: 1000, invoke: async () => called.resolve() });
    await called.promise;
    expect(calls).toEqual([["a"]]);
  });

  it("retries the same batch until it succeeds", async () => {
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

  it("waits longer before each retry", async () => {
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

  it("sends a batch with its payloads to the on-failure store after the last attempt, and continues", async () => {
    await put("a", "b");
    const mapping = start({ invoke: failsOn("b"), batchSize: 2 });
    await mapping.flush();
    await put("c");
    await mapping.flush();
    expect(calls).toEqual([["a", "b"], ["a", "b"], ["a", "b"], ["c"]]);
    expect(await failedBatches()).toEqual([["a", "b"]]);
    expect(mapping.metrics()).toMatchObject({ onFailureRecords: 2, landedRecords: 1 });
  });

  it("bisects a batch until the poison record is isolated in the on-failure store; the others land once", async () => {
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

  it("retries without limit if maximumRetryAttempts is -1", async () => {
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

  it("sends exactly the records that have become too old to the on-failure store", async () => {
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

  it("stops retrying a record that becomes too old between two attempts", async () => {
    await put("a");
    const sleep = async () => {
      now += 40_000;
    };
    await start({ invoke: failsOn("a"), maximumRetryAttempts: -1, maximumRecordAgeMs: 60_000, sleep }).flush();
    expect(calls).toHaveLength(2);
    expect(await failedBatches()).toEqual([["a"]]);
  });

  it("blocks a shard and its checkpoint until the on-failure store has accepted the batch", async () => {
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

  it("treats an invocation that times out as failed", async () => {
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

  it("resumes from its checkpoints after a restart", async () => {
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
  ])("redelivers a shard from its beginning if its checkpoint is %s", async (_, spoil) => {
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

  it("does not let a failing shard block another one, and keeps each in order", async () => {
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

  it("finishes a parent shard before it starts its children, across a restart and while running", async () => {
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

  it("flushes the records that exist at the time of the call, even if more keep arriving", async () => {
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

  it("does not poll other shards while a flush waits for one", async () => {
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

  it("finishes the invocation in progress when stopped, starts no other, and rejects a pending flush", async () => {
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

  it("fails a flush if a shard cannot be read", async () => {
    const broken = {
      ...stream,
      read: async () => {
        throw new Error("damaged at byte 7");
      },
    };
    await put("a");
    await expect(start({ stream: broken }).flush()).rejects.toThrow("shard shardId-000000000000 failed");
  });

  it("reports the age of the batch in progress, and zero when idle", async () => {
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

  it("rejects settings that Lambda would reject", () => {
    expect(() => start({ batchSize: 0 })).toThrow("batchSize is 0: give a whole number from 1 to 10000");
    expect(() => start({ windowMs: 300_001 })).toThrow("windowMs is 300001");
  });
});
