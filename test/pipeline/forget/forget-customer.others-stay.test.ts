import { beforeEach, describe, expect, it } from "vitest";
import { quarantineLakeTable } from "../../../pipeline/silver/tables.ts";
import { event } from "../quality/messy-day.ts";
import type { ReceiptPipeline } from "../reconciliation/receipt-fixture.ts";
import { openForEachTest } from "../reconciliation/receipt-hooks.ts";

let pipeline: ReceiptPipeline;
openForEachTest((opened) => ({ pipeline } = opened));
beforeEach(async () => {
  const nobody = { customer: undefined };
  const bob = { customer: { customer_id: "c-bob", name: "Bob Stone", email: "bob@example.com" } };
  const cut = (seq: number, id: string, changes: object) =>
    Buffer.from(JSON.stringify(event(seq, id, { ...changes })).slice(0, -20));
  await pipeline.land(
    await pipeline.send(
      [event(1, "n-1", nobody), event(2, "b-1", bob), event(3, "bob@example.com", nobody)],
      Buffer.from(JSON.stringify(event(4, "n-2", nobody))),
    ),
  );
  await pipeline.land(
    await pipeline.send([
      event(5, "n-3", { ...nobody, store_id: "mars-01" }),
      event(6, "b-2", { ...bob, store_id: "mars-01" }),
      cut(7, "n-4", nobody),
      cut(8, "b-3", bob),
      event(9, "n-5", { customer: { name: "Eve", city: "Utica" } }),
    ]),
  );
  await pipeline.work();
});

const lake = async () => (await pipeline.store.list("")).map(({ key, size }) => `${key} ${size}`);

describe("an argument that is not a customer id", () => {
  it.each([
    ["n-1", "an order of nobody"],
    ["b-1", "an order of somebody"],
    ["n-4", "an order that is damaged"],
    ["placed", "a status"],
    ["nyc-01", "a store"],
    ["mars-01", "a store that is not known"],
    ["till-1", "a till"],
    ["hawaiian_m", "a pizza"],
    ["order_id", "a key"],
    ["customer_id", "the key itself"],
    ["Utica", "a city of somebody without an id"],
    ["c-bo", "the beginning of an id"],
    ["bob@example.com", "an address"],
  ])("%s, %s, changes nothing", async (argument) => {
    const before = await lake();
    expect(await pipeline.forget(argument)).toMatchObject({
      events: 0,
      bronzeObjects: 0,
      quarantined: 0,
      isResumed: false,
    });
    expect(await lake()).toEqual(before);
    expect((await pipeline.verify()).findings).toEqual([]);
  });
});

it("another customer's damaged event stays unchanged, whatever address it contains", async () => {
  const shared = { customer_id: "c-eve", email: "bob@example.com", name: "Eve" };
  await pipeline.land(
    await pipeline.send([Buffer.from(JSON.stringify(event(10, "e-1", { customer: shared })).slice(0, -20))]),
  );
  await pipeline.work();
  await pipeline.forget("c-bob");
  expect(JSON.stringify(await payloads())).toContain("Eve");
  expect((await pipeline.verify()).findings).toEqual([]);
});

it("an order whose id is an email address keeps it", async () => {
  await pipeline.forget("c-bob");
  expect((await pipeline.trace("bob@example.com")).silver).toMatchObject({ revision: 0 });
  expect((await pipeline.verify()).findings).toEqual([]);
});

async function payloads() {
  const table = quarantineLakeTable(await pipeline.quarantine.snapshot());
  return (await pipeline.lake.query("select payload from quarantine_order_events", [], [table])).map(
    ({ payload }) => payload,
  );
}
