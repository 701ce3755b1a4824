import { execFileSync } from "node:child_process";
import { hash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { OrderTrace } from "../../../pipeline/trace/trace-order.ts";
import { goldHash } from "../../../pipeline/backup/manifest.ts";
import type { Warehouse } from "../../../pipeline/ports.ts";
import { goldKeys } from "../../pipeline/gold/gold-tables.ts";
import type { Pipeline } from "../../../targets/operations.ts";
import { openLocalPipeline } from "../../../targets/local/open.ts";
import { restoreLocalPipeline } from "../../../targets/local/restore.ts";

/**
 * A data directory written by release 0.1.0: two histories with every common fault, two quarantined events that were
 * resent, a forgotten customer, an order whose later revision arrived first, and a backup. PostgreSQL's 50 MB are
 * omitted.
 */
const archive = new URL("../../fixtures/data-directory-0.1.0.tar.gz", import.meta.url).pathname;

let dir: string;
let pipeline: Pipeline;
let restored: Promise<unknown>;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "pizza-earlier-version-"));
  execFileSync("tar", ["-xzf", archive, "-C", dir]);
  restored = restoreLocalPipeline({ dir, onLog: () => {} });
  const [{ status }] = await Promise.allSettled([restored]);
  if (status === "fulfilled") pipeline = await openLocalPipeline({ dir });
});
afterAll(async () => {
  await pipeline?.close();
  rmSync(dir, { recursive: true, force: true });
});

it("a backup of an earlier release is restored and compared by the columns that it has", async () => {
  await expect(restored).resolves.toBeDefined();
});

it("an old data directory has the same gold and the same receipt as under the release that wrote it", async () => {
  await pipeline.drain();
  // The hash of 0.1.0 was fbde3983aadabf5521e4980ca776b707; gold.customer_segments has two dates more since.
  const query = async (sql: string) => await pipeline.query({ sql });
  // The star, the calendar and the catalog are newer: the tables that there were have the same hash.
  const { tables } = await goldHash({ query } as Warehouse);
  const reported = Object.keys(goldKeys).map((name) => `${name} ${tables[name]!.hash}`);
  expect(hash("md5", reported.toSorted().join(","))).toBe("6d8ff88a1f58659f62bac262ce10292e");
  const [star] = await query("select sum(orders)::integer as orders from gold.sales_hours");
  expect(star).toEqual({ orders: 389 });
  expect(await pipeline.verify()).toMatchObject({
    findings: [],
    records: { sent: 11, landed: 11 },
    events: {
      distinct: 445,
      accepted: 397,
      eventDuplicates: 19,
      supersededRevisions: 21,
      quarantined: { unknown_key: 1, missing_field: 2, unknown_pizza: 2, bad_utf8: 2, wrong_type: 1 },
      closed: 2,
      pending: 0,
    },
    gold: { orders: 389, lines: 845, pizzas: 873, cents: 1_431_815 },
  });
});

it("an old data directory still has its orders, its quarantine and its forgotten customer", async () => {
  const quarantined = await pipeline.quarantined();
  expect(quarantined.filter(({ isClosed }) => isClosed).map(({ id }) => id)).toEqual(["60d3043274", "858aee8f15"]);
  expect(quarantined).toHaveLength(8);
  expect((await pipeline.trace({ orderId: "kept-1" }))[0]!.gold).not.toEqual([]);
  const [{ events }] = (await pipeline.trace({ orderId: "forgotten-1" })) as [OrderTrace];
  expect(events).toMatchObject([{ outcome: "accepted" }]);
  expect(await pipeline.forget({ customerId: "c-forgotten" })).toMatchObject({ records: 0 });
});

it("an old data directory accepts another order with a known id on another day", async () => {
  const first = {
    schema_version: 1,
    order_id: "ahead-1",
    revision: 0,
    status: "placed",
    ordered_at: "2026-01-19T14:00:00-05:00",
    emitted_at: "2026-01-20T18:59:01.000Z",
    store_id: "nyc-01",
    channel: "takeaway",
    lines: [{ line_no: 1, pizza_id: "hawaiian_m", quantity: 1, unit_price: 13.25 }],
    producer: { producer_id: "till-nyc-01-9", seq: 4 },
  };
  await pipeline.putRecords({ records: [{ partitionKey: "ahead-1", data: Buffer.from(JSON.stringify(first)) }] });
  await pipeline.drain();
  const traces = await pipeline.trace({ orderId: "ahead-1" });
  expect(traces.map(({ orderDate }) => orderDate)).toEqual(["2026-01-19", "2026-01-20"]);
  expect(await pipeline.verify()).toMatchObject({ findings: [], gold: { cents: 1_431_815 + 1325 } });
});
