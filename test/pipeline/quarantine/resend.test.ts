import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readProjectFile } from "../../../adapters/project-files.ts";
import { parseEdit } from "../../../pipeline/domain/edit-event.ts";
import { resentKey } from "../../../pipeline/domain/stream-position.ts";
import type { EventSink, OutgoingRecord } from "../../../pipeline/ports.ts";
import { listQuarantined, heldOrders } from "../../../pipeline/quarantine/list-quarantined.ts";
import {
  judgeResends,
  ordersOf,
  planResend,
  type Correction,
  type ResendPlan,
  resend,
} from "../../../pipeline/quarantine/resend.ts";
import { catalog, order } from "../../support/order-fixture.ts";
import { noon, openSilverPipeline, record, type SilverPipeline } from "../silver/refine-fixture.ts";

let pipeline: SilverPipeline;
beforeEach(async () => {
  pipeline = await openSilverPipeline();
});
afterEach(() => pipeline.close());

const sql = readProjectFile("sql/checks/rejected-events.sql");
const rejected = () => listQuarantined({ ...pipeline.openRefinery(), lake: pipeline.lake, sql });
const later = noon + 60_000;
const rules = { catalog, now: later };

/** Lands events as separate records, one second apart, and refines them into silver and the quarantine. */
async function take(...records: ReturnType<typeof record>[]) {
  await pipeline.land(...records);
  await pipeline.refine();
  await pipeline.publish();
}

/** Plans the resending of quarantined events with these edits, checked against silver and each other. */
async function judged(...texts: string[]): Promise<ResendPlan[]> {
  const plans = (await rejected())
    .filter(({ isClosed }) => !isClosed)
    .map((event) => planResend(event, edits(...texts), rules));
  return judgeResends(plans, await heldOrders({ ...pipeline.openRefinery(), lake: pipeline.lake }, ordersOf(plans)));
}

/** Resends the valid events, as the command does, and returns what silver did with all events. */
async function sendSound(plans: readonly ResendPlan[], firstNumber: number) {
  const sound = plans.filter(({ problem }) => problem === undefined);
  const taken = sink();
  await resend(taken, sound);
  const records = taken.taken.map(({ data, partitionKey }, index) =>
    record(firstNumber + index, Buffer.from(data), { partitionKey, arrivedAt: later }),
  );
  if (records.length > 0) await take(...records);
  return (await rejected()).filter(({ isClosed }) => !isClosed);
}

const edits = (...texts: string[]): Correction => ({ edits: texts.map(parseEdit) });
const line = (changes: object) => ({ line_no: 1, pizza_id: "hawaiian_m", quantity: 1, unit_price: 13.25, ...changes });
const unknownPizza = order({ order_id: "x-1", lines: [line({ pizza_id: "secret_m" })] });

/** A sink that stores what it accepts; every call first fails for one record. */
function sink(): EventSink & { taken: OutgoingRecord[] } {
  const taken: OutgoingRecord[] = [];
  return {
    taken,
    openShards: async () => 1,
    putRecords: async (records) =>
      records.map((outgoing, index) => {
        if (index === 0 && records.length > 1) return { errorCode: "Throttled", errorMessage: "slow down" };
        return { shard: "s", sequenceNumber: String(taken.push(outgoing)) };
      }),
  };
}

describe("the quarantine's list", () => {
  it("has what was rejected, why, since when, and the quarantined amount", async () => {
    const stored = record(1, [order(), unknownPizza, "garbage"]);
    await take(stored);
    const list = (await rejected()).toSorted((a, b) => a.recordIndex - b.recordIndex);
    expect(list).toMatchObject([
      { recordIndex: 1, reason: "unknown_pizza", orderId: "x-1", cents: 1325, isClosed: false, silverRevision: null },
      { recordIndex: 2, reason: "not_json", orderId: null, cents: null, isClosed: false, payload: "garbage" },
    ]);
    expect(new Set(list.map(({ id }) => id)).size).toBe(2);
    for (const { arrivedAt, id } of list) {
      expect(arrivedAt).toBe(new Date(noon).toISOString());
      expect(id).toMatch(/^[0-9a-f]{10}$/);
    }
  });

  it("is empty before the first rejection", async () => {
    expect(await rejected()).toEqual([]);
  });

  it("marks an event as resolved by any later event of its order, but not by an earlier one", async () => {
    await take(record(1, order({ order_id: "early" }), { arrivedAt: noon - 1000 }));
    await take(record(2, order({ order_id: "early", channel: "online" })), record(3, unknownPizza));
    await take(record(4, order({ order_id: "x-1", revision: 1, status: "amended" }), { arrivedAt: later }));
    const states = (await rejected()).map(({ orderId, isClosed, silverRevision }) => ({
      orderId,
      isClosed,
      silverRevision,
    }));
    expect(states).toContainEqual({ orderId: "early", isClosed: false, silverRevision: 0 });
    expect(states).toContainEqual({ orderId: "x-1", isClosed: true, silverRevision: 1 });
  });
});

describe("a correction", () => {
  it("is checked as silver will check it", async () => {
    await take(record(1, unknownPizza));
    const [event] = await rejected();
    const fixed = planResend(event!, edits("lines[*].pizza_id=secret_m->hawaiian_m"), rules);
    expect(fixed).toMatchObject({ cents: 1325, changes: [{ before: "secret_m", after: "hawaiian_m" }] });
    expect(fixed.problem).toBeUndefined();
    const wrong = planResend(event!, edits("lines[0].pizza_id=hawaiian_l"), rules);
    expect(wrong.problem).toContain("the price is not the menu's");
    const priced = planResend(event!, edits("lines[0].pizza_id=hawaiian_l", "lines[0].unit_price=@menu"), rules);
    expect(priced).toMatchObject({ cents: 1650 });
    expect(priced.problem).toBeUndefined();
    expect(planResend(event!, edits(), rules).problem).toContain("not on the menu");
    expect(planResend(event!, { event: JSON.stringify(order({ order_id: "x-1" })) }, rules).problem).toBeUndefined();
  });

  it("of an order's time uses its arrival time, with the order's UTC offset", async () => {
    await take(record(1, order({ order_id: "x-2", ordered_at: "2099-01-01T10:00:00-05:00" })));
    const [event] = await rejected();
    const plan = planResend(event!, edits("ordered_at=@arrival"), rules);
    expect(plan.changes).toEqual([
      { path: "ordered_at", before: "2099-01-01T10:00:00-05:00", after: "2015-01-02T07:00:00-05:00" },
    ]);
    expect(plan.problem).toBeUndefined();
  });

  it("of a payload that conflicts with silver needs the next revision", async () => {
    await take(record(1, order()), record(2, order({ channel: "online", emitted_at: "2015-01-01T16:38:38Z" })));
    const [same] = await judged("channel=delivery");
    expect(same!.problem).toContain("add revision=@next");
    const [next] = await judged("revision=@next");
    expect(next!.changes).toEqual([{ path: "revision", before: 0, after: 1 }]);
    expect(next!.problem).toBeUndefined();
    const [taken] = await judged("channel=dine_in", "emitted_at=2015-01-01T16:38:37.120Z");
    expect(taken!.problem).toBeUndefined();
    expect(await sendSound([taken!], 3)).toEqual([]);
  });

  it("of a payload that is not JSON needs the whole event", async () => {
    await take(record(1, "garbage"));
    const [event] = await rejected();
    expect(planResend(event!, edits("revision=1"), rules).problem).toContain("--file");
  });
});

describe("corrections of one call", () => {
  const moved = (changes: object) => order({ revision: 2, ordered_at: "2015-01-01T12:00:00-05:00", ...changes });

  it("are not sent if silver has the order at another time, however often they are tried", async () => {
    await take(record(1, order()), record(2, moved({})), record(3, moved({ channel: "online" })));
    for (const texts of [[], ["revision=@next"], ["revision=7"]]) {
      const plans = await judged(...texts);
      expect(plans).toHaveLength(2);
      for (const { problem } of plans) {
        expect(problem).toBe(
          "silver holds order 2015-000001 of 2015-01-01 at 2015-01-01T16:38:36.000Z, and an order keeps its time: set ordered_at to it, or give another order its own order_id",
        );
      }
      expect(await sendSound(plans, 10)).toHaveLength(2);
    }
    // The same moment with another offset is the same time.
    const [same] = await judged("ordered_at=2015-01-02T01:38:36+09:00");
    expect(same!.problem).toBeUndefined();
  });

  it("are all sent and all resolved if they agree", async () => {
    await take(record(1, order()), record(2, moved({})), record(3, moved({})), record(4, moved({ revision: 1 })));
    const plans = await judged("ordered_at=2015-01-01T11:38:36-05:00");
    expect(plans.map(({ problem }) => problem)).toEqual([undefined, undefined, undefined]);
    expect(await sendSound(plans, 10)).toEqual([]);
  });

  it("are sent only once if several would be the same revision of an order, even with others between them", async () => {
    await take(
      record(1, order()),
      record(2, order({ channel: "online", emitted_at: "2015-01-01T16:38:38Z" })),
      record(3, moved({ revision: 3 })),
    );
    await take(record(4, order({ channel: "delivery", emitted_at: "2015-01-01T16:38:39Z" })));
    const plans = await judged("revision=0->1", "ordered_at=2015-01-01T11:38:36-05:00");
    expect(plans.map(({ problem }) => problem)).toEqual([
      undefined,
      undefined,
      "another of these events is also revision 1 of order 2015-000001: resend only the correct one",
    ]);
    await sendSound(plans, 10);
    expect(await pipeline.quarantined("reason")).toHaveLength(3);
  });

  it("do not give a new order two different times", async () => {
    const wrong = { lines: [line({ pizza_id: "secret_m" })] };
    await take(record(1, order({ ...wrong, revision: 1 })), record(2, moved(wrong)));
    const plans = await judged("lines[0].pizza_id=hawaiian_m");
    expect(plans.map(({ problem }) => problem?.slice(0, 67))).toEqual([
      undefined,
      "another of these events has a different time for order 2015-000001:",
    ]);
  });

  it("do not give an event the id of another order", async () => {
    const wrong = { lines: [line({ pizza_id: "secret_m" })] };
    await take(record(1, order()), record(2, order({ order_id: "x-1", ...wrong })));
    const [plan] = await judged("lines[0].pizza_id=hawaiian_m", "order_id=2015-000001", "revision=4");
    expect(plan!.problem).toBe("order_id 2015-000001 belongs to another order: choose a different order_id");
    await take(record(3, order({ order_id: "x-2", ...wrong, revision: 1 })));
    const both = await judged("lines[0].pizza_id=hawaiian_m", "order_id=x-3");
    expect(both.map(({ problem }) => problem !== undefined)).toEqual([true, true]);
    const own = await judged("lines[0].pizza_id=hawaiian_m");
    expect(own.map(({ problem }) => problem)).toEqual([undefined, undefined]);
  });
});

describe("resending", () => {
  it("sends every event once, in a record that names the quarantined one, even if the stream first rejects some", async () => {
    await take(record(1, unknownPizza), record(2, order({ order_id: "x-2", store_id: "mars-01" })));
    const plans = (await rejected()).map((event) =>
      planResend(event, edits("lines[0].pizza_id=hawaiian_m", "store_id=nyc-01"), rules),
    );
    const stream = sink();
    const sent = await resend(stream, plans);
    expect(stream.taken.map(({ partitionKey }) => partitionKey).toSorted()).toEqual(
      plans.map(({ rejected: { shard, sequenceNumber } }) => resentKey(`${shard}/${sequenceNumber}/0`)).toSorted(),
    );
    for (const [index, { sequenceNumber }] of sent.entries()) {
      expect(Buffer.from(stream.taken[Number(sequenceNumber) - 1]!.data).toString()).toBe(plans[index]!.text);
    }
  });

  it("resolves the quarantined event, even if its order is unreadable and a newer revision follows", async () => {
    await take(record(1, "garbage"));
    const [event] = await rejected();
    const key = resentKey(`${event!.shard}/${event!.sequenceNumber}/0`);
    await take(record(2, order({ order_id: "x-3" }), { partitionKey: key, arrivedAt: later }));
    expect(await rejected()).toMatchObject([{ id: event!.id, isClosed: true }]);
    await take(record(3, order({ order_id: "x-3", revision: 1, status: "cancelled" }), { arrivedAt: later }));
    expect(await rejected()).toMatchObject([{ isClosed: true }]);
  });

  it("resolves nothing if silver rejects what was sent", async () => {
    await take(record(1, "garbage"), record(2, order()));
    const [event] = await rejected();
    const key = resentKey(`${event!.shard}/${event!.sequenceNumber}/0`);
    await take(record(3, order({ channel: "online" }), { partitionKey: key, arrivedAt: later }));
    const list = await rejected();
    expect(
      list.map(({ isClosed, reason }) => ({ isClosed, reason })).toSorted((a, b) => (a.reason < b.reason ? -1 : 1)),
    ).toEqual([
      { isClosed: false, reason: "conflicting_payload" },
      { isClosed: false, reason: "not_json" },
    ]);
  });
});

it("a file with several events is not sent as one event, and text around a single event is omitted", async () => {
  const [a, b] = ["x-1", "x-2"].map((order_id) => JSON.stringify(order({ order_id })));
  await take(record(1, Buffer.from(`${a}${b}garbage`)));
  const [row] = await rejected();
  expect(planResend(row!, { event: `${a}\n${b}` }, rules).problem).toContain("it holds 2 events");
  const single = planResend(row!, { event: `\uFEFF${a}\n` }, rules);
  expect(single).toMatchObject({ text: a, checked: { event: { order_id: "x-1" } } });
});
