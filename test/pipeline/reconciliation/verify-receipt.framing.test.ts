import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { readProjectFile } from "../../../adapters/project-files.ts";
import { resentKey } from "../../../pipeline/domain/stream-position.ts";
import { listQuarantined } from "../../../pipeline/quarantine/list-quarantined.ts";
import { everything } from "../forget/everything.ts";
import { event } from "../quality/messy-day.ts";
import { aggregate } from "../silver/aggregated.ts";
import type { ReceiptPipeline } from "./receipt-fixture.ts";
import { openForEachTest } from "./receipt-hooks.ts";

let pipeline: ReceiptPipeline;
openForEachTest((opened) => ({ pipeline } = opened));

const text = (seq: number, id: string, changes: object = {}) =>
  JSON.stringify(event(seq, id, { customer: undefined, ...changes }));
const bob = { customer: { customer_id: "c-bob", name: "Bob Stone", email: "bob@example.com" } };
const eve = { customer: { customer_id: "c-eve", name: "Eve Moor", email: "eve@example.com" } };

async function take(...contents: Buffer[]) {
  const records = await pipeline.send(...contents);
  await pipeline.land(records);
  await pipeline.work();
  return records;
}

async function listed() {
  const { silver, quarantine, lake } = pipeline;
  return await listQuarantined({ silver, quarantine, lake, sql: readProjectFile("sql/checks/rejected-events.sql") });
}

/** Sends an order as a correction of the only event in quarantine. */
async function resend(corrected: string) {
  const [row] = await listed();
  const place = `${row!.shard}/${row!.sequenceNumber}/${row!.recordIndex}`;
  pipeline.time.now += 1000;
  await pipeline.land(await pipeline.sendUnder(resentKey(place), Buffer.from(corrected)));
  await pipeline.work();
}

describe("the receipt of an object that silver has judged in part", () => {
  const some = { maxObjectEvents: 2 };
  const work = async () => {
    await pipeline.publishQuarantine();
    await pipeline.publishGold();
  };

  it("counts the other events as pending, and balances before and after", async () => {
    const batches = [0, 1, 2].map((n) => [`${n}-a`, `${n}-b`].map((id, m) => text(2 * n + m + 1, id)).join("\n"));
    await pipeline.land(await pipeline.send(...batches.map((batch) => Buffer.from(batch))));
    for (const pending of [4, 2, 0]) {
      await pipeline.refineSome(some);
      await work();
      const { findings, events } = await pipeline.verify();
      expect(findings).toEqual([]);
      expect(events).toMatchObject({ distinct: 6, accepted: 6 - pending, pending });
    }
  });

  it("balances after a rebuild in between", async () => {
    await pipeline.land(await pipeline.send(Buffer.from(text(1, "a")), Buffer.from(text(2, "b") + text(3, "c"))));
    await pipeline.refineSome({ maxObjectEvents: 1 });
    expect(await pipeline.rebuild()).toMatchObject({ published: true });
    await pipeline.refineSome(some);
    await work();
    expect(await pipeline.verify()).toMatchObject({ findings: [], events: { distinct: 3, accepted: 3, pending: 0 } });
  });
});

describe("the receipt of records in every frame", () => {
  it("balances, and each event can be traced to its position", async () => {
    const [, aggregated] = await take(
      Buffer.from(`\ufeff${text(1, "a")}${text(2, "b")}\r\n${text(3, "c")}`),
      aggregate(
        text(4, "d"),
        zstdCompressSync(`${text(5, "e")}\n\n${text(6, "f")}`),
        `[${text(7, "g")},${text(8, "h")}]`,
      ),
      gzipSync(`\x1e${text(9, "i")}\x1e${text(10, "j")}`),
    );
    const receipt = await pipeline.verify();
    expect(receipt).toMatchObject({ findings: [], notes: [], events: { distinct: 10, accepted: 10 } });
    const trace = await pipeline.trace("f");
    expect(trace.events).toMatchObject([
      { sequenceNumber: aggregated!.sequenceNumber, recordIndex: 3, outcome: "accepted" },
    ]);
  });

  it("covers forgetting a customer in each of them, which changes nothing else", async () => {
    const [a, b, c] = [text(1, "a", bob), text(2, "b", eve), text(3, "c", bob)];
    await take(
      Buffer.from(`\ufeff${a}${b}\r\n[${c}]`),
      aggregate(text(4, "d", bob), zstdCompressSync(`${text(5, "e", eve)}\n${text(6, "f", bob)}`)),
      gzipSync(`\x1e${text(7, "g", bob)}\x1e${text(8, "h", eve)}`),
    );
    expect(await pipeline.forget("c-bob")).toMatchObject({ events: 5, records: 3, orders: 5, unreadable: 0 });
    const records = await pipeline.streamRecords();
    const left = `${await everything(pipeline)}${records.map(({ data }) => Buffer.from(data).toString("latin1")).join("")}`;
    expect(left).not.toMatch(/c-bob|Bob|bob@/);
    expect(left).toContain("Eve Moor");
    const { findings, events } = await pipeline.verify();
    expect({ findings, accepted: events.accepted }).toEqual({ findings: [], accepted: 8 });
  });
});

describe("a record that cannot be split into its events", () => {
  it("names every order and the whole amount, and is resolved once all of them are in", async () => {
    const [a, b] = [text(1, "a"), text(2, "b", { store_id: "chi-01" })];
    await take(Buffer.from(`${a}${b}garbage`));
    const [row, ...others] = await listed();
    expect(others).toEqual([]);
    expect(row).toMatchObject({ reason: "not_json", orderId: "a", cents: 2650, isClosed: false });
    expect(row!.detail).toMatch(/; orders in it: a of nyc-01 on 2015-01-01, b of chi-01 on 2015-01-01$/);
    expect((await pipeline.verify()).events).toMatchObject({ closed: 0 });
    await resend(a);
    expect((await listed()).map(({ isClosed }) => isClosed)).toEqual([false]);
    expect(await pipeline.verify()).toMatchObject({ findings: [], events: { closed: 0, accepted: 1 } });
    await resend(b);
    expect((await listed()).map(({ isClosed }) => isClosed)).toEqual([true]);
    expect(await pipeline.verify()).toMatchObject({ findings: [], notes: [], events: { closed: 1, accepted: 2 } });
  });

  it("is not resolved by the same order id in another store or on another day", async () => {
    await take(Buffer.from(`${text(1, "a")}${text(2, "b")}garbage`));
    await resend(text(1, "a"));
    await resend(text(2, "b", { store_id: "chi-01" }));
    await resend(text(2, "b", { ordered_at: "2015-01-02T11:38:36-05:00" }));
    expect((await listed()).map(({ isClosed }) => isClosed)).toEqual([false]);
    expect(await pipeline.verify()).toMatchObject({ findings: [], events: { closed: 0 } });
  });

  it("can be traced by each of its orders", async () => {
    await take(Buffer.from(`{"events":[${text(1, "a")},${text(2, "b")}]}`));
    for (const id of ["a", "b"]) {
      const trace = await pipeline.trace(id);
      expect(trace).toMatchObject({ storeId: "nyc-01", orderDate: "2015-01-01", events: [{ outcome: "quarantined" }] });
    }
  });

  it("excuses the sequence numbers of all of its events, and no others", async () => {
    await take(
      Buffer.from(text(1, "a")),
      Buffer.from(`${text(2, "b")}${text(3, "c")}garbage`),
      Buffer.from(text(5, "d")),
    );
    expect(JSON.stringify((await pipeline.verify()).findings)).toContain(
      "till-1: 2-4 (2 may be among the unreadable events of that till)",
    );
  });

  it("is redacted when its second customer is forgotten", async () => {
    await take(Buffer.from(`${text(1, "a", eve)}${text(2, "b", bob)}garbage`));
    expect(await pipeline.forget("c-bob")).toMatchObject({ events: 1, quarantined: 1 });
    expect(await everything(pipeline)).not.toMatch(/c-bob|Bob|bob@/);
    expect((await listed())[0]!.detail).toContain("b of unknown on unknown");
    expect((await pipeline.verify()).findings).toEqual([]);
  });
});

describe("forgetting", () => {
  it("finds a customer behind a duplicate key, even if escaped", async () => {
    const plain = text(1, "a", eve);
    const twice = (key: string) => plain.replace('"customer":', `"${key}":${JSON.stringify(bob.customer)},"customer":`);
    await take(Buffer.from(twice("customer")), Buffer.from(twice("c\\u0075stomer")));
    expect(await pipeline.forget("c-bob")).toMatchObject({ events: 2, quarantined: 2 });
    expect(await everything(pipeline)).not.toMatch(/c-bob|Bob|bob@/);
    expect(await pipeline.verify()).toMatchObject({ findings: [], events: { quarantined: { duplicate_key: 2 } } });
  });

  it.each([
    ["a nested batch", gzipSync(zstdCompressSync(text(1, "a", bob)))],
    ["a batch within an event", Buffer.concat([Buffer.from("{"), gzipSync(text(1, "a", bob)), Buffer.from("}")])],
    ["an aggregated record that is damaged", aggregate(gzipSync(text(1, "a", bob))).fill(0, 4, 5)],
    ["text in UTF-16", Buffer.from(text(1, "a", bob), "utf16le")],
  ])("reports that it could not inspect %s", async (_, data) => {
    await take(data);
    expect(await pipeline.forget("c-bob")).toMatchObject({ events: 0, unreadable: 1 });
    expect((await pipeline.verify()).findings).toEqual([]);
  });
});
