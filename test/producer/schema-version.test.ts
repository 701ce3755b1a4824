import { expect, test } from "vitest";
import { createCatalog } from "../../pipeline/domain/catalog.ts";
import { checkOrder } from "../../pipeline/domain/check-order.ts";
import { OrderScanner } from "../../pipeline/domain/scan-order.ts";
import { inSchemaVersion, type SchemaVersion } from "../../producer/schema-version.ts";
import { simulateOrders } from "../../producer/simulator.ts";
import { menu, patterns, stores } from "./project-data.ts";

const startAt = Date.parse("2026-09-01T00:00:00Z");
const events = [...simulateOrders({ seed: 7, menu, stores, patterns, startAt, orders: 2000 })];
const sent = (version: SchemaVersion, seed = 1) => [...inSchemaVersion(events, { version, seed })];

test("version 1 does not change the events", () => {
  expect(sent("1")).toEqual(events);
});

test("version 2 adds promotion codes and tips to some events, depending on the seed, in the form that the scanner reads", () => {
  const second = sent("2");
  expect(JSON.stringify(sent("2"))).toBe(JSON.stringify(second));
  expect(JSON.stringify(sent("2", 2))).not.toBe(JSON.stringify(second));
  for (const has of ["promotion_code", "tip"] as const) {
    const share = second.filter((event) => event[has] !== undefined).length / second.length;
    expect(share, has).toBeGreaterThan(0.05);
    expect(share, has).toBeLessThan(0.7);
  }
  const catalog = createCatalog(menu, stores);
  const scanner = new OrderScanner({ catalog, customerKey: (id) => id });
  for (const event of second) {
    const text = JSON.stringify(event);
    expect(checkOrder(text, startAt * 2000, catalog)).not.toHaveProperty("rejection");
    expect(scanner.scan(Buffer.from(text), 0, startAt * 2000), text).toBeDefined();
  }
});

test("mixed: each till uses one version, and both are used", () => {
  const tills = Map.groupBy(sent("mixed"), ({ producer }) => producer.producer_id);
  const spoken = [...tills.values()].map((ofTill) => new Set(ofTill.map(({ schema_version }) => schema_version)));
  expect(spoken.every(({ size }) => size === 1)).toBe(true);
  expect(new Set(spoken.flatMap((versions) => [...versions]))).toEqual(new Set([1, 2]));
});
