import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseBronzeKey } from "../../../pipeline/bronze/bronze-object.ts";
import type { ObjectStore } from "../../../pipeline/ports.ts";
import { refineSilver, type RefineOptions } from "../../../pipeline/silver/refine-silver.ts";
import { bringBackObjects, listSetAside } from "../../../pipeline/silver/set-aside.ts";
import { isConsumed } from "../../../pipeline/silver/transactions.ts";
import { order } from "../../support/order-fixture.ts";
import { failingOnce, openSilverPipeline, record, type SilverPipeline } from "./refine-fixture.ts";

const minute = 60_000;
const hour = 60 * minute;

let pipeline: SilverPipeline;
beforeEach(async () => {
  pipeline = await openSilverPipeline();
});
afterEach(() => pipeline.close());

const landEach = async (count: number) => {
  const keys = [];
  for (let n = 0; n < count; n++) keys.push(await pipeline.land(record(n, order({ order_id: `order-${n}` }))));
  return keys;
};
const setAside = async () => await listSetAside(pipeline.store, await pipeline.openRefinery().silver.snapshot());
const orderIds = async () => (await pipeline.rows("distinct order_id")).map((row) => row["order_id"]);

/** Ends a run as soon as it reads this object, as memory that runs out would. `reads` counts objects per run. */
function endedBy(poison: string) {
  const reads: number[] = [];
  const store: ObjectStore = {
    ...pipeline.store,
    async get(key) {
      if (key === poison) throw new Error("the process was killed");
      return await pipeline.store.get(key);
    },
    async put(key, body, options) {
      if (key === "silver/refining.json") {
        reads.push((JSON.parse(Buffer.from(body).toString()) as { keys: string[] }).keys.length);
      }
      return await pipeline.store.put(key, body, options);
    },
  };
  const refine = async (options: RefineOptions = {}) =>
    await refineSilver(pipeline.openRefinery(store), options).catch(() => undefined);
  return { reads, refine };
}

describe("a bronze object that crashes every run that reads it", () => {
  it("is found by bisection, crashes three runs alone over five minutes, and is set aside", async () => {
    const keys = await landEach(8);
    const { reads, refine } = endedBy(keys[5]!);
    for (let run = 0; run < 8; run++, pipeline.now += minute) await refine();
    // 8 end a run, 4 pass; of the last 4, 2 end a run; the first of these passes, and the second is alone.
    expect(reads).toEqual([8, 4, 2, 1, 1, 1, 1, 1]);
    expect(await setAside()).toEqual([]);
    expect(await orderIds()).toEqual(["order-0", "order-1", "order-2", "order-3", "order-4"].toSorted());

    for (let run = 0; run < 4; run++, pipeline.now += minute) await refine();
    expect(await setAside()).toEqual([
      {
        key: keys[5],
        records: 1,
        setAsideAt: expect.stringMatching(/^2015-01-02T12:/),
        reason: expect.stringMatching(/^\d runs ended without a commit while they read it$/),
      },
    ]);
    expect(await orderIds()).toHaveLength(7);
    expect(await refine()).toMatchObject({ bronzeObjects: 0, remaining: 0 });
  });

  it("is not set aside by three runs that crash within five minutes, as in an outage or a restart", async () => {
    const [key] = await landEach(1);
    const { refine } = endedBy(key!);
    for (let run = 0; run < 20; run++) await refine();
    pipeline.now += 5 * minute - 1;
    await refine();
    expect(await setAside()).toEqual([]);
    expect(await pipeline.refine()).toMatchObject({ accepted: 1 });
  });

  it("is not set aside by two runs, however far apart", async () => {
    const [key] = await landEach(1);
    const { refine } = endedBy(key!);
    for (let run = 0; run < 3; run++, pipeline.now += hour) {
      await refine();
      expect(await setAside()).toEqual([]);
    }
    await refine();
    expect(await setAside()).toMatchObject([{ key, reason: expect.stringMatching(/^3 runs /) }]);
  });

  it.each([
    ["objects", { maxObjects: 3 }],
    ["events", { maxEvents: 3 }],
  ])("is searched for among the %s that one run can read", async (_, limits) => {
    await landEach(7);
    const { refine, reads } = endedBy("none");
    while ((await refine(limits))!.remaining > 0);
    expect(reads).toEqual([3, 3, 1]);
  });

  it("does not delay the others after another run has crashed for an unrelated reason", async () => {
    await landEach(4);
    const dying = pipeline.openRefinery(failingOnce(pipeline.store, /_delta_log/));
    await expect(refineSilver(dying)).rejects.toThrow("the process died");
    const { refine, reads } = endedBy("none");
    while ((await refine())!.remaining > 0);
    expect(await orderIds()).toHaveLength(4);
    expect(reads).toEqual([2, 1, 1]);
  });

  it("is found even if the record of the last run is damaged", async () => {
    const [key] = await landEach(1);
    await pipeline.store.put("silver/refining.json", Buffer.from("{"));
    const { refine } = endedBy(key!);
    for (let run = 0; run < 10; run++, pipeline.now += 2 * minute) await refine();
    expect(await setAside()).toMatchObject([{ key }]);
  });
});

describe("a bronze object that cannot be decoded", () => {
  it("is set aside by the first run, and the others are refined", async () => {
    const keys = await landEach(3);
    const whole = (await pipeline.store.get(keys[1]!))!;
    await pipeline.store.put(keys[1]!, whole.subarray(0, 100));
    expect(await pipeline.refine()).toMatchObject({ accepted: 2, setAsideObjects: 1, remaining: 0 });
    expect(await setAside()).toMatchObject([{ key: keys[1], reason: expect.stringContaining("it is damaged: ") }]);
  });

  it("is consumed if its bytes were damaged only in transit", async () => {
    const [key] = await landEach(1);
    let reads = 0;
    const store: ObjectStore = {
      ...pipeline.store,
      async get(name) {
        const body = await pipeline.store.get(name);
        return name === key && ++reads < 3 ? body!.subarray(0, 100) : body;
      },
    };
    expect(await refineSilver(pipeline.openRefinery(store))).toMatchObject({ accepted: 1, setAsideObjects: 0 });
  });

  it("is consumed once after it was repaired and retried, however long ago it landed", async () => {
    const [key] = await landEach(2);
    const whole = (await pipeline.store.get(key!))!;
    await pipeline.store.put(key!, whole.subarray(0, 100));
    await pipeline.refine();
    // The low watermark passes the object's hour, and the keys of consumed objects expire.
    pipeline.now += 10 * 24 * hour;
    await pipeline.land(record(9, order({ order_id: "order-9" }), { arrivedAt: pipeline.now }));
    await pipeline.refine();

    const { silver } = pipeline.openRefinery();
    const { hour: landedIn } = parseBronzeKey(key!)!;
    expect(isConsumed(await silver.snapshot(), { key: key!, hour: landedIn })).toBe(false);
    expect(await bringBackObjects(silver)).toEqual([key]);
    expect(await pipeline.refine()).toMatchObject({ setAsideObjects: 1 });
    await expect(bringBackObjects(silver, ["bronze/other"])).rejects.toThrow(
      "bronze/other is not a bronze object that is set aside",
    );
    await pipeline.store.put(key!, whole);
    expect(await bringBackObjects(silver, [key!])).toEqual([key]);
    expect(await setAside()).toEqual([]);
    for (let run = 0; run < 3; run++, pipeline.now += 10 * 24 * hour) {
      expect(await pipeline.refine()).toMatchObject({ accepted: run === 0 ? 1 : 0, redeliveredEvents: 0 });
    }
    expect(await orderIds()).toEqual(["order-0", "order-1", "order-9"]);
    expect(await bringBackObjects(silver)).toEqual([]);
  });
});
