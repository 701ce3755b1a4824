import { expect, it } from "vitest";
import { openFolderStore } from "../../../adapters/folder-store.ts";
import { landRecords } from "../../../pipeline/bronze/land-records.ts";
import { listBronze } from "../../../pipeline/bronze/list-bronze.ts";
import { maskEvent, readEvent } from "../../../pipeline/trace/read-event.ts";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { catalog, order } from "../../support/order-fixture.ts";

const customer = { customer_id: "c-1", name: "Ada Lovelace", email: "ada@example.com" };
const events = [order({ order_id: "x-1" }), { ...order({ order_id: "x-2" }), customer }];
const text = events.map((event) => JSON.stringify(event)).join("\n");

it("reads the bytes of one event of a batch, with and without personal data", async () => {
  const dir = mkdtempSync(join(tmpdir(), "pizza-event-"));
  try {
    const store = openFolderStore(dir);
    const record = {
      shard: "shardId-000000000000",
      sequenceNumber: "7",
      partitionKey: "k",
      arrivedAt: 1_500_000_000_000,
    };
    await landRecords({ store, stream: "orders" }, [{ ...record, data: Buffer.from(text) }]);
    const [object] = await listBronze(store, "orders");
    const place = { bronzeKey: object!.key, shard: record.shard, sequenceNumber: "7", recordIndex: 1 };
    const whole = await readEvent({ store, catalog }, { ...place, isPersonal: true });
    const bytes = Buffer.from(whole.bytes, "base64").toString();
    expect(bytes).toBe(JSON.stringify(events[1]));
    expect(whole).toMatchObject({ length: bytes.length, recordBytes: text.length, recordEvents: 2, isMasked: false });
    const masked = await readEvent({ store, catalog }, { ...place, isPersonal: false });
    const shown = Buffer.from(masked.bytes, "base64").toString();
    expect(masked).toMatchObject({ length: bytes.length, isMasked: true });
    for (const value of Object.values(customer)) expect(shown).not.toContain(value);
    expect(JSON.parse(shown)).toMatchObject({ order_id: "x-2", lines: events[1]!.lines });
    expect(shown).toHaveLength(bytes.length);
    const nowhere = readEvent({ store, catalog }, { ...place, recordIndex: 2, isPersonal: false });
    await expect(nowhere).rejects.toThrow("does not hold event 2");
    const lost = readEvent({ store, catalog }, { ...place, bronzeKey: "bronze/none", isPersonal: false });
    await expect(lost).rejects.toThrow("bronze object bronze/none does not exist");
  } finally {
    rmSync(dir, { recursive: true });
  }
});

it("masks bytes that are no JSON, and keeps invalid UTF-8 invalid", () => {
  expect(maskEvent(Buffer.from('{"customer":{"name":"Ada'), catalog).toString()).not.toContain("Ada");
  const broken = maskEvent(Buffer.concat([Buffer.from('{"name":"Ada'), Buffer.from([0xff])]), catalog);
  expect(broken.toString("latin1")).not.toContain("Ada");
  expect(broken.includes(0xff)).toBe(true);
});
