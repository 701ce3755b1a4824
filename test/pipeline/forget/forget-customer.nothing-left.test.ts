import { describe, expect, it } from "vitest";
import type { StreamRecord } from "../../../pipeline/ports.ts";
import type { GoldPipeline } from "../gold/gold-fixture.ts";
import { event } from "../quality/messy-day.ts";
import { openReceiptPipeline, type ReceiptPipeline } from "../reconciliation/receipt-fixture.ts";
import { openForEachTest } from "../reconciliation/receipt-hooks.ts";
import { customerKey } from "../silver/refine-fixture.ts";
import { dying } from "./dying-store.ts";
import { everything } from "./everything.ts";

let gold: GoldPipeline;
let pipeline: ReceiptPipeline;
openForEachTest(
  (opened) => ({ gold, pipeline } = opened),
  () => pipeline,
);

const ada = { customer_id: "c-adah", name: "Ada Lovelace", email: "ada@example.com", phone: "+1-555-0199" };
const json = (...args: Parameters<typeof event>) => JSON.stringify(event(...args));
const balanced = async () => expect((await pipeline.verify()).findings).toEqual([]);

/** Lands each as a separate object, and runs the pipeline. */
async function take(...contents: Parameters<ReceiptPipeline["send"]>): Promise<StreamRecord[]> {
  const records = [];
  for (const content of contents) records.push(...(await pipeline.send(content)));
  for (const record of records) await pipeline.land([record]);
  await pipeline.work();
  return records;
}

async function expectGone(...traces: string[]) {
  const text = (await everything(pipeline)).toLowerCase();
  for (const trace of traces) expect(text, trace).not.toContain(trace.toLowerCase());
}

describe("an id that a till writes with escapes", () => {
  it.each([
    ["kunde-é", "kunde-\\u00e9"],
    ["shop/17", "shop\\/17"],
    ["c-\u{1f355}", "c-\\ud83c\\udf55"],
    ['c-"q"', 'c-\\"q\\"'],
    ["c-adah", "\\u0063-adah"],
  ])("%s, written %s, is found like any other", async (id, escaped) => {
    const written = json(1, "a-1", { customer: { ...ada, customer_id: "ID" } }).replace('"ID"', `"${escaped}"`);
    const rejected = json(2, "a-2", { customer: { ...ada, customer_id: "ID" }, store_id: "mars" });
    await take(
      [Buffer.from(written), Buffer.from(rejected.replace('"ID"', `"${escaped}"`))],
      [event(3, "a-3", { customer: { ...ada, customer_id: id } })],
    );
    expect(await pipeline.forget(id)).toMatchObject({ events: 3, orders: 2, quarantined: 1 });
    await expectGone(ada.name, ada.email, escaped, customerKey(id));
    await balanced();
  });

  it("is found as an order id too", async () => {
    await take([Buffer.from(json(1, "shop/1").replace("shop/1", "sh\\u006fp\\/1"))]);
    expect((await pipeline.trace("shop/1")).events).toMatchObject([{ outcome: "accepted" }]);
  });
});

describe("a rejected event", () => {
  it("keeps its reason, but no personal value in other fields", async () => {
    const odd = [
      { store_id: "Ada Lovelace" },
      { status: "ada@example.com" },
      { channel: "+1-555-0199" },
      { ordered_at: "Ada Lovelace" },
      { order_id: "Ada Lovelace" },
      { order_id: ["Ada Lovelace"] },
      { order_id: "order-of-ada@example.com" },
      { order_id: "y", promotion_code: "ADA@example.com", schema_version: 1 },
      { revision: 5550199 },
      { lines: [{ line_no: 1, pizza_id: "Ada Lovelace", quantity: 1, unit_price: 13.25 }] },
      { lines: [{ line_no: 1, pizza_id: "hawaiian_m", quantity: 5550199, unit_price: 13.25 }] },
      { "ada@example.com": 1 },
    ].map((changes, index) => event(2 + index, `odd-${index}`, { customer: ada, store_id: "mars", ...changes }));
    await take([event(1, "a-1", { customer: ada }), ...odd]);
    const before = await pipeline.verify();
    await pipeline.forget("c-adah");
    await expectGone("Ada Lovelace", ada.email, ada.phone, "5550199", "c-adah");
    expect(await pipeline.verify()).toEqual(before);
    expect(before.findings).toEqual([]);
  });

  it("without an id belongs to the customer by the email address, whatever the case and the escapes", async () => {
    const like = (seq: number, email: string) => json(seq, `m-${seq}`, { customer: { name: "Ada Lovelace", email } });
    await take(
      [event(1, "a-1", { customer: ada })],
      [Buffer.from(like(2, "ADA@Example.com")), Buffer.from(like(3, "ada@example.com").replace("@", "\\u0040"))],
      [
        Buffer.from(like(4, "nada@example.com").replace("Ada Lovelace", "Nada")),
        Buffer.from(like(5, ada.email).slice(0, -40)),
      ],
    );
    expect(await pipeline.forget("c-adah")).toMatchObject({ events: 4, quarantined: 3 });
    await expectGone("Ada Lovelace", '"ada@Example.com', "ada\\u0040");
    expect(await everything(pipeline)).toContain("Nada");
    await balanced();
  });

  it.each([
    ["an id outside of its place", { customer: undefined, customer_id: "c-adah", note: "Ada Lovelace" }],
    ["an id alone", { customer: "c-adah", note: "Ada Lovelace" }],
  ])("with %s belongs to the customer", async (_, changes) => {
    await take([event(1, "a-1", { ...changes })]);
    expect(await pipeline.forget("c-adah")).toMatchObject({ events: 1 });
    await expectGone("Ada Lovelace", "c-adah");
    await balanced();
  });

  it("with a number as its id, or truncated after it, belongs to the customer", async () => {
    const cut = json(2, "a-2", { customer: { customer_id: "117", name: ada.name } });
    await take(
      [event(1, "a-1", { customer: { customer_id: 117, name: ada.name } })],
      [Buffer.from(cut.slice(0, cut.indexOf('"117"') + 4))],
    );
    expect(await pipeline.forget("117")).toMatchObject({ events: 2 });
    await expectGone(ada.name, '"customer_id":117', '"customer_id":"117');
    await balanced();
  });
});

describe("a run that is killed", () => {
  it("keeps the email addresses that lead to events without an id until those are redacted", async () => {
    for (let steps = 0; ; steps++) {
      await pipeline.close();
      pipeline = await openReceiptPipeline(gold);
      await take(
        [event(1, "a-1", { customer: ada })],
        [event(2, "m-2", { customer: { name: ada.name, email: ada.email } })],
      );
      const killed = await pipeline
        .forget("c-adah", (store) => dying(store, steps))
        .then(
          () => false,
          () => true,
        );
      await pipeline.forget("c-adah");
      await expectGone(...Object.values(ada), customerKey("c-adah"));
      await balanced();
      if (!killed) break;
      expect(steps).toBeLessThan(30);
    }
  });
});

it("staging tables of a killed rebuild are deleted too", async () => {
  await take([event(1, "a-1", { customer: ada }), event(2, "a-2", { customer: ada, store_id: "mars" })]);
  const kill = { exclusively: () => Promise.reject(new Error("the process died")) };
  const remove = pipeline.store.delete.bind(pipeline.store);
  pipeline.store.delete = () => Promise.resolve();
  await expect(pipeline.rebuild({}, kill)).rejects.toThrow("the process died");
  pipeline.store.delete = remove;
  expect(await pipeline.store.list("silver/rebuild/")).not.toEqual([]);
  await pipeline.forget("c-adah");
  expect(await pipeline.store.list("silver/rebuild/")).toEqual([]);
});

describe("a record that lands again in its original form", () => {
  it("does not bring back a forgotten customer when another customer in it is forgotten", async () => {
    const bob = { customer_id: "c-bob", name: "Bob Stone" };
    const records = await pipeline.send([event(1, "a-1", { customer: ada }), event(2, "b-1", { customer: bob })]);
    await pipeline.land(records);
    await pipeline.work();
    pipeline.time.now += 60_000;
    await pipeline.forget("c-adah");
    const next = await pipeline.send([event(3, "n-1", { customer: undefined })]);
    await pipeline.land([...records, ...next]);
    await pipeline.work();
    pipeline.time.now += 60_000;
    expect(await pipeline.forget("c-bob")).toMatchObject({ events: 1, orders: 1 });
    await expectGone(...Object.values(ada), ...Object.values(bob), customerKey("c-adah"), customerKey("c-bob"));
    await balanced();
  });
});

it("an order in silver whose bronze is lost is named, and is forgotten once bronze is restored", async () => {
  const [record] = await take([event(1, "a-1", { customer: ada })], [event(2, "a-2", { customer: ada })]);
  const key = (await pipeline.store.list("bronze/"))[0]!.key;
  const body = (await pipeline.store.get(key))!;
  await pipeline.store.delete(key);
  await expect(pipeline.forget("c-adah")).rejects.toThrow(
    `customer c-adah was removed wherever bronze names them, but 1 of their orders are left in silver without an event in bronze: a-1 (from ${record!.shard}/${record!.sequenceNumber}/0)`,
  );
  await pipeline.store.put(key, body);
  expect(await pipeline.forget("c-adah")).toMatchObject({ events: 1, orders: 1, isResumed: true });
  await expectGone(...Object.values(ada), customerKey("c-adah"));
  await balanced();
  expect(await pipeline.owner.query("select frequency from gold.customer_segments")).toEqual([{ frequency: 2 }]);
});
