import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { createCatalog, validOn } from "../../../pipeline/domain/catalog.ts";
import { readEvents } from "../../../pipeline/silver/read-events.ts";
import { menu, stores } from "../../producer/project-data.ts";
import { customerKey, record } from "./refine-fixture.ts";

const catalog = createCatalog(menu, stores);
const arrivedAt = Date.parse("2026-12-01T00:00:00Z");

/** Reads a file as one stream record, or each of its lines as one. */
function read(name: string, hasRecordPerLine: boolean) {
  const file = readFileSync(new URL(`../../fixtures/public-cases/${name}`, import.meta.url));
  const lines = hasRecordPerLine ? file.toString("latin1").split("\n").filter(Boolean) : [file.toString("latin1")];
  const records = lines.map((line, n) => record(n, Buffer.from(line, "latin1"), { arrivedAt }));
  const { candidates, rejected } = readEvents(records, "key", { catalog, customerKey });
  const cents = candidates.flatMap(({ event, orderDate }) =>
    event.lines.map(
      ({ pizza_id, quantity }) => quantity * validOn(catalog.pizzas.get(pizza_id), orderDate)!.price_cents,
    ),
  );
  return {
    orders: candidates.map(({ event, orderHour }) => `${event.order_id} ${orderHour} ${event.customer?.customer_id}`),
    cents: cents.reduce((sum, each) => sum + each, 0),
    indexes: candidates.map(({ position }) => position.recordIndex),
    rejected,
  };
}

it.each([
  ["a02-times.jsonl", ["a02-1 12 undefined", "a02-2 12 undefined"], 2650],
  ["a03-nulls.jsonl", ["a03-1 12 undefined", "a03-2 12 c-9"], 2650],
  ["a04-bom.jsonl", ["a04-1 12 undefined", "a04-2 12 undefined"], 2650],
  ["a05-two-in-one.jsonl", ["a05-1 12 undefined", "a05-2 12 undefined"], 4920],
])("%s contains two orders, as lines and as one record", (name, orders, cents) => {
  expect(read(name, true)).toMatchObject({ orders, cents, rejected: [] });
  expect(read(name, false)).toMatchObject({ orders, cents, indexes: [0, 1], rejected: [] });
});

it.each(["a06-ndjson-record.bin", "a07-kpl-record.bin"])("%s is a record of two orders", (name) => {
  expect(read(name, false)).toMatchObject({
    orders: ["a06-1 12 undefined", "a06-2 12 undefined"],
    cents: 4920,
    indexes: [0, 1],
    rejected: [],
  });
});
