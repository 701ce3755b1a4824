import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ObjectStore } from "../../../pipeline/ports.ts";
import { refineSilver } from "../../../pipeline/silver/refine-silver.ts";
import { order } from "../../support/order-fixture.ts";
import { openSilverPipeline, record, type SilverPipeline } from "./refine-fixture.ts";

let pipeline: SilverPipeline;
beforeEach(async () => {
  pipeline = await openSilverPipeline();
});
afterEach(() => pipeline.close());

const event = (n: number, changes: object = {}) => order({ order_id: `order-${n}`, ...changes });
const landEach = async (count: number) => {
  for (let n = 0; n < count; n++) await pipeline.land(record(n, event(n)));
};
const dataFiles = async () => (await pipeline.store.list("silver/")).filter(({ key }) => key.endsWith(".parquet"));

describe("a run", () => {
  it.each([
    ["events", { maxEvents: 3 }],
    ["objects", { maxObjects: 3 }],
    ["bytes", { maxBytes: 2 * JSON.stringify(event(0)).length + 1 }],
  ])("takes objects until it has enough %s, and leaves the others to the next runs", async (_, limits) => {
    await landEach(7);
    expect(await pipeline.refine(limits)).toMatchObject({ accepted: 3, remaining: 4 });
    expect(await pipeline.refine(limits)).toMatchObject({ accepted: 3, remaining: 1 });
    expect(await pipeline.refine(limits)).toMatchObject({ accepted: 1, remaining: 0 });
  });

  it("counts the bytes of events that it rejects too", async () => {
    for (let n = 0; n < 3; n++) await pipeline.land(record(n, ["x".repeat(1000)]));
    expect(await pipeline.refine({ maxBytes: 1500 })).toMatchObject({ quarantined: 2, remaining: 1 });
  });

  it("consumes one object and commits it at its deadline", async () => {
    await landEach(3);
    expect(await pipeline.refine({ until: pipeline.now })).toMatchObject({ accepted: 1, remaining: 2 });
    expect(await pipeline.refine({ until: pipeline.now + 1 })).toMatchObject({ accepted: 2, remaining: 0 });
  });
});

describe("an object that unpacks to more than a run takes", () => {
  const batch = (n: number) => record(n, [event(2 * n), event(2 * n + 1), "{}"]);
  const small = { maxObjectEvents: 4 };

  it("is judged record by record over several runs, and each event once", async () => {
    await pipeline.land(...[0, 1, 2, 3, 4].map(batch));
    expect(await pipeline.refine(small)).toMatchObject({ accepted: 4, quarantined: 2, bronzeObjects: 0, remaining: 1 });
    expect(await pipeline.refine(small)).toMatchObject({ accepted: 4, quarantined: 2, bronzeObjects: 0, remaining: 1 });
    expect(await pipeline.refine(small)).toMatchObject({ accepted: 2, quarantined: 1, bronzeObjects: 1, remaining: 0 });
    expect(await pipeline.refine(small)).toMatchObject({ events: 0 });
    await pipeline.publish();
    expect(await pipeline.rows("order_id")).toHaveLength(10);
    expect(await pipeline.quarantined("reason")).toHaveLength(5);
  });

  it("is cut by the bytes of its events too", async () => {
    await pipeline.land(record(0, ["x".repeat(1000)]), record(1, ["x".repeat(1000)]), record(2, event(2)));
    expect(await pipeline.refine({ maxObjectBytes: 1500 })).toMatchObject({
      quarantined: 2,
      accepted: 0,
      remaining: 1,
    });
    expect(await pipeline.refine({ maxObjectBytes: 1500 })).toMatchObject({ accepted: 1, remaining: 0 });
  });

  it("is cut at the run's deadline, after one record at least", async () => {
    await pipeline.land(record(0, event(0)), record(1, event(1)));
    expect(await pipeline.refine({ until: pipeline.now })).toMatchObject({ accepted: 1, remaining: 1 });
    expect(await pipeline.refine({ until: pipeline.now })).toMatchObject({ accepted: 1, remaining: 0 });
  });

  it("does not quarantine again what another object brings again before it is finished", async () => {
    const [first, rest] = [event(0), [1, 2, 3].map((n) => record(n, event(n)))];
    const other = order({ ...first, emitted_at: "2015-01-01T16:50:00Z" });
    await pipeline.land(record(0, [first, other, event(7)]), ...rest);
    await pipeline.refine({ maxObjectEvents: 2 });
    await pipeline.land(record(0, [first, other, event(7)]));
    await pipeline.refine();
    await pipeline.publish();
    expect(await pipeline.quarantined("reason")).toEqual([{ reason: "conflicting_payload" }]);
    expect(await pipeline.rows("order_id")).toHaveLength(5);
  });
});

/** A store that takes its time to answer a GET, and counts how many are in flight. */
function slow(store: ObjectStore, counts: { now: number; most: number; gets: number }): ObjectStore {
  return {
    ...store,
    async get(key) {
      if (!key.startsWith("bronze/")) return await store.get(key);
      counts.now += 1;
      counts.gets += 1;
      counts.most = Math.max(counts.most, counts.now);
      await sleep(5);
      counts.now -= 1;
      return await store.get(key);
    },
  };
}

describe("reading bronze", () => {
  it("has 32 objects in flight, and reads each once", async () => {
    await landEach(70);
    const counts = { now: 0, most: 0, gets: 0 };
    expect(await refineSilver(pipeline.openRefinery(slow(pipeline.store, counts)))).toMatchObject({ accepted: 70 });
    expect(counts).toEqual({ now: 0, most: 32, gets: 70 });
  });

  it("has no more than 32 MiB in flight", async () => {
    // Random bytes, which bronze cannot make smaller.
    const body = randomBytes(7 * 1024 * 1024);
    for (let n = 0; n < 6; n++) await pipeline.land(record(n, body));
    const size = (await pipeline.store.list("bronze/"))[0]!.size;
    const counts = { now: 0, most: 0, gets: 0 };
    await refineSilver(pipeline.openRefinery(slow(pipeline.store, counts)));
    expect(counts.most).toBe(Math.floor((32 * 1024 * 1024) / size));
  });
});

describe("data files that no commit refers to", () => {
  it("are deleted if another one cannot be written", async () => {
    const days = ["2015-01-01", "2015-01-02", "2015-01-03"];
    const events = days.map((day, n) => event(n, { ordered_at: `${day}T01:00:00-05:00` }));
    await pipeline.land(record(1, events));
    const failing: ObjectStore = {
      ...pipeline.store,
      async put(key, body, options) {
        if (key.includes("order_date=2015-01-02")) throw new Error("the store is full");
        return await pipeline.store.put(key, body, options);
      },
    };
    await expect(refineSilver(pipeline.openRefinery(failing))).rejects.toThrow("the store is full");
    expect(await dataFiles()).toEqual([]);
  });

  it("are deleted if another writer commits first, and the run retries", async () => {
    await pipeline.land(record(1, [event(1), "rejected"]));
    let isDue = true;
    const overtaken: ObjectStore = {
      ...pipeline.store,
      async put(key, body, options) {
        if (isDue && key.endsWith("_delta_log/00000000000000000000.json")) {
          isDue = false;
          await pipeline.refine();
        }
        return await pipeline.store.put(key, body, options);
      },
    };
    expect(await refineSilver(pipeline.openRefinery(overtaken))).toMatchObject({ accepted: 0 });
    expect(await dataFiles()).toHaveLength(1);
    expect(await pipeline.store.list("quarantine/")).toHaveLength(1);
    expect(await pipeline.rows("order_id")).toEqual([{ order_id: "order-1" }]);
  });
});
