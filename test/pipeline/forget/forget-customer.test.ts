import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { OrderEvent } from "../../../pipeline/domain/generated/order-event.types.ts";
import { silverColumns } from "../../../pipeline/silver/columns.ts";
import type { DeltaTable } from "../../../pipeline/delta/table.ts";
import { readColumns } from "../../../pipeline/parquet/read-columns.ts";
import type { ObjectStore } from "../../../pipeline/ports.ts";
import { publishQuarantine } from "../../../pipeline/silver/quarantine-table.ts";
import { refineSilver } from "../../../pipeline/silver/refine-silver.ts";
import { openQuarantine, openSilver, orderStream } from "../../../pipeline/silver/tables.ts";
import { createMemoryStore } from "../delta/memory-store.ts";
import { catalog } from "../../support/order-fixture.ts";
import { customerKey } from "../silver/refine-fixture.ts";
import { event } from "../quality/messy-day.ts";
import type { ReceiptPipeline } from "../reconciliation/receipt-fixture.ts";
import { openForEachTest } from "../reconciliation/receipt-hooks.ts";
import { dying } from "./dying-store.ts";
import { everything, plain } from "./everything.ts";

let pipeline: ReceiptPipeline;
openForEachTest((opened) => ({ pipeline } = opened));

const ada = {
  customer_id: "c-adah",
  name: "Ada Lovelace",
  email: "ada@example.com",
  phone: "+1-555-0199",
  city: "Utica",
};
const bob = { customer_id: "c-bob", name: "Bob Stone", email: "bob@example.com" };
/** Every text that could identify the customer, including the customer key. */
const traces = [...Object.values(ada), "Lovelace", customerKey("c-adah")];

const ordered = (seq: number, id: string, customer: object | undefined, changes: object = {}) =>
  event(seq, id, { customer, ...changes });

/**
 * Orders of two customers over two days: a duplicate, a revision, a conflict, and events rejected for several reasons.
 */
async function sell() {
  const day2 = { ordered_at: "2015-01-02T19:30:00-06:00", store_id: "chi-01" };
  const damaged = JSON.stringify(ordered(12, "damaged", ada)).slice(0, -30);
  const noId = JSON.stringify(ordered(13, "no-id", { name: "Ada", email: ada.email }));
  const first = await pipeline.send(
    [ordered(1, "a-1", ada), ordered(2, "b-1", bob), ordered(3, "b-2", bob, day2)],
    Buffer.from(JSON.stringify(ordered(4, "a-2", ada, day2))),
    gzipSync(
      Buffer.from([ordered(5, "n-1", undefined), ordered(6, "a-3", ada)].map((one) => JSON.stringify(one)).join("\n")),
    ),
  );
  const second = await pipeline.send(
    [ordered(1, "a-1", ada), ordered(7, "a-2", ada, { ...day2, revision: 1, status: "amended" })],
    [
      ordered(6, "a-3", ada, { channel: "online" }),
      ordered(8, "a-4", ada, { store_id: "mars-01" }),
      ordered(9, "b-3", bob),
    ],
    [Buffer.from(damaged), Buffer.from(noId), ordered(10, "a-5", { ...ada, nickname: "Countess" })],
    Buffer.from(JSON.stringify(ordered(11, "a-6", ada)).replace("Utica", "\u00ff"), "latin1"),
  );
  await pipeline.land(first);
  await pipeline.work();
  await pipeline.land(second);
  await pipeline.land(second.slice(0, 2));
  await pipeline.work();
}

/** Returns the rows of a table as texts, in a deterministic order. */
async function rowsOf(store: ObjectStore, table: DeltaTable, names: string[]): Promise<string[]> {
  const rows = [];
  for (const path of (await table.snapshot()).files.keys()) {
    const columns = await readColumns((await store.get(`${table.root}/${path}`))!, names);
    for (const row of columns[names[0]!]!.keys()) rows.push(names.map((name) => String(columns[name]![row])).join("|"));
  }
  return rows.toSorted();
}

const totals = () =>
  pipeline.owner.query(
    "select order_date::text, orders, order_lines, pizzas, revenue, margin, customers from gold.daily_sales_summary order by 1",
  );
const segments = () =>
  pipeline.owner.query(
    "select recency_days, frequency, monetary, segment from gold.customer_segments order by 1, 2, 3",
  );

describe("forgetting a customer", () => {
  it("leaves nothing of the customer in any layer, and does not change any total", async () => {
    await sell();
    const before = { receipt: await pipeline.verify(), totals: await totals(), segments: await segments() };
    expect(before.receipt.findings).toEqual([]);
    const text = await everything(pipeline);
    for (const trace of traces) expect(text, trace).toContain(trace);

    const summary = await pipeline.forget("c-adah");
    expect(summary).toMatchObject({ orders: 3, streamKeeps: 0, isResumed: false });
    expect(summary.events).toBe(11);
    expect(summary.quarantined).toBe(6);

    const after = await everything(pipeline);
    for (const trace of traces) expect(after, trace).not.toContain(trace);
    expect(after).toContain("Bob Stone");
    expect(after).not.toContain("Countess");
    const receipt = await pipeline.verify();
    expect(receipt).toEqual({
      ...before.receipt,
      records: { ...before.receipt.records, landed: before.receipt.records.landed },
    });
    expect(await totals()).toEqual(before.totals);
    expect(await segments()).toEqual(before.segments);
  });

  it("can be repeated, and finds nothing the second time", async () => {
    await sell();
    await pipeline.forget("c-adah");
    const { version } = await pipeline.silver.snapshot();
    expect(await pipeline.forget("c-adah")).toMatchObject({ events: 0, bronzeObjects: 0, orders: 0, isResumed: false });
    expect((await pipeline.silver.snapshot()).version).toBe(version);
    expect(await pipeline.forget("c-nobody")).toMatchObject({ events: 0 });
    expect((await pipeline.verify()).findings).toEqual([]);
  });

  it("leaves a bronze from which a rebuild produces the same silver and quarantine", async () => {
    await sell();
    await pipeline.forget("c-adah");
    const rebuilt = createMemoryStore();
    for (const { key } of await pipeline.store.list("bronze/"))
      await rebuilt.put(key, (await pipeline.store.get(key))!);
    const tables = {
      silver: openSilver({ store: rebuilt, clock: Date.now }),
      quarantine: openQuarantine({ store: rebuilt, clock: Date.now }),
    };
    const refinery = { store: rebuilt, stream: orderStream, ...tables, catalog, customerKey, clock: Date.now };
    await refineSilver(refinery);
    await publishQuarantine(refinery);
    const silver = silverColumns.map(({ name }) => name);
    expect(await rowsOf(rebuilt, tables.silver, silver)).toEqual(await rowsOf(pipeline.store, pipeline.silver, silver));
    const rejected = [
      "shard",
      "sequence_number",
      "record_index",
      "reason",
      "detail",
      "order_id",
      "payload",
      "bronze_key",
    ];
    expect(await rowsOf(rebuilt, tables.quarantine, rejected)).toEqual(
      await rowsOf(pipeline.store, pipeline.quarantine, rejected),
    );
  });

  it("does not change the keys of another customer's rows and files", async () => {
    await sell();
    await pipeline.forget("c-adah");
    const rows = await pipeline.owner.query("select frequency from gold.customer_segments where customer_key = $1", [
      customerKey("c-bob"),
    ]);
    expect(rows).toEqual([{ frequency: 3 }]);
  });

  it("treats a later order of the same customer as that of a new one", async () => {
    await sell();
    await pipeline.forget("c-adah");
    await pipeline.land(await pipeline.send([ordered(14, "a-9", ada)]));
    await pipeline.work();
    expect((await pipeline.verify()).findings).toEqual([]);
    const keys = await pipeline.owner.query("select frequency from gold.customer_segments where customer_key = $1", [
      customerKey("c-adah"),
    ]);
    expect(keys).toEqual([{ frequency: 1 }]);
    expect(await pipeline.forget("c-adah")).toMatchObject({ events: 1, orders: 1 });
    for (const trace of traces) expect(await everything(pipeline), trace).not.toContain(trace);
  });

  it("keeps a quarantined order unresolved, so that it can still be corrected", async () => {
    await sell();
    await pipeline.forget("c-adah");
    const { events } = await pipeline.trace("a-4");
    expect(events).toMatchObject([{ outcome: "quarantined", refused: { reason: "unknown_store", isClosed: false } }]);
    expect((await pipeline.trace("a-3")).events.map(({ outcome }) => outcome).toSorted()).toEqual([
      "accepted",
      "quarantined",
    ]);
  });

  it("drops a record that the stream redelivers in its original form", async () => {
    const [record, next] = await pipeline.send([ordered(1, "a-1", ada)], [ordered(2, "b-1", bob)]);
    await pipeline.land([record!]);
    await pipeline.work();
    await pipeline.forget("c-adah");
    await pipeline.land([record!, next!]);
    await pipeline.refine();
    await pipeline.publishQuarantine();
    expect((await pipeline.trace("a-1")).silver).toMatchObject({ lines: [{}] });
    expect((await pipeline.quarantine.snapshot()).files.size).toBe(0);
    expect((await pipeline.verify()).findings.map(({ sentence }) => sentence)).toContain(
      "1 records differ between two bronze objects",
    );
    expect(await pipeline.forget("c-adah")).toMatchObject({ events: 1 });
    expect((await pipeline.verify()).findings).toEqual([]);
    for (const trace of traces) expect(await everything(pipeline), trace).not.toContain(trace);
  });
});

describe("a run that is killed", () => {
  it("is completed by the next one, wherever it stopped", async () => {
    await sell();
    const before = await totals();
    let killed = 0;
    let last: string | Awaited<ReturnType<typeof pipeline.forget>> = "";
    // Each run crashes one step later than the previous one; completed steps stay done.
    for (let steps = 0; ; steps += 2) {
      last = await pipeline.forget("c-adah", (store) => dying(store, steps)).catch((error: Error) => error.message);
      if (typeof last === "object") break;
      expect(last).toContain("the process died");
      killed++;
    }
    expect(last).toMatchObject({ isResumed: true });
    expect(killed).toBeGreaterThan(3);
    for (const trace of traces) expect(await everything(pipeline), trace).not.toContain(trace);
    expect((await pipeline.verify()).findings).toEqual([]);
    expect(await totals()).toEqual(before);
    expect(await segments()).toHaveLength(2);
  });
});

describe("a stream that cannot be rewritten", () => {
  it("keeps its records until its retention ends, which is not a finding", async () => {
    await sell();
    const summary = await pipeline.forget("c-adah", undefined, async (records) => ({
      rewritten: 0,
      kept: records.length,
    }));
    expect(summary).toMatchObject({ streamRecords: 0, streamKeeps: summary.records });
    expect((await pipeline.verify()).findings).toEqual([]);
  });
});

it("every redacted event is a valid order event", async () => {
  await sell();
  await pipeline.forget("c-adah");
  const [first] = await pipeline.streamRecords();
  const [redacted] = plain(first!.data)
    .split("\n")
    .map((line) => JSON.parse(line) as OrderEvent);
  expect(redacted).toMatchObject({ order_id: "a-1", customer: { customer_id: expect.stringMatching(/^forgotten-/) } });
});
