import { Ajv } from "ajv";
import { afterEach, describe, expect, it, vi } from "vitest";
import { fillings, redactEvent } from "../../../pipeline/domain/redact-event.ts";
import { OrderScanner } from "../../../pipeline/domain/scan-order.ts";
import { catalog, micros, order } from "../../support/order-fixture.ts";
import { keysOfVersion, readSchema, type Schema, versionsOf } from "./contract/incompatibilities.ts";

const here = (name: string) => new URL(name, import.meta.url);
const current = readSchema(here("../../../pipeline/domain/order-event.schema.json"));
const arrivedAt = micros("2015-01-01T16:38:38Z");
const validator = "../../../pipeline/domain/generated/order-event.validator.js";
const nextKey = "key_of_the_next_version";

/** The contract with one more version, made as docs/changing.md describes. */
function withNextVersion(schema: Schema): Schema {
  const versions = versionsOf(schema);
  const { producer, ...properties } = schema.properties!;
  return {
    ...schema,
    allOf: [
      ...schema.allOf!,
      // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
      { if: { properties: { schema_version: { enum: versions } } }, then: { properties: { [nextKey]: false } } },
    ],
    properties: {
      ...properties,
      schema_version: { enum: [...versions, Math.max(...versions) + 1] },
      [nextKey]: { type: "integer" },
      producer: producer!,
    },
  };
}

/** A value that the contract accepts, by key; a new optional key of the contract needs one here. */
const values: Record<string, unknown> = {
  ...order(),
  promotion_code: "FRIDAY-10",
  tip: 2.5,
  [nextKey]: 7,
};

/** An event with these keys in the contract's order, and optionally one more after `lines`. */
function eventOf(version: number, keys: readonly string[], schema: Schema = current): Record<string, unknown> {
  const ordered = Object.keys(schema.properties!).filter((key) => keys.includes(key));
  return { ...Object.fromEntries(ordered.map((key) => [key, values[key]])), schema_version: version };
}

/** The same event with an unknown key, once in each object of the contract. */
function withUnknownKeys(event: Record<string, unknown>): [place: string, event: object][] {
  const { producer, ...rest } = event;
  const [line] = event["lines"] as [object];
  return [
    ["event.note", { note: "x", ...event }],
    ["event.note", { ...rest, note: "x", producer }],
    ["event.note", { ...event, note: "x" }],
    ["customer.note", { ...event, customer: { ...(event["customer"] as object), note: "x" } }],
    ["lines.0.note", { ...event, lines: [{ ...line, note: "x" }] }],
    ["producer.note", { ...event, producer: { ...(producer as object), note: "x" } }],
  ];
}

/** The results of both ways to read an event: the scanner and the validator. */
async function read(event: object) {
  const { checkOrder } = await import("../../../pipeline/domain/check-order.ts");
  const text = JSON.stringify(event);
  const scanner = new OrderScanner({ catalog, customerKey: (id) => id });
  return { checked: checkOrder(text, arrivedAt, catalog), scanned: scanner.scan(Buffer.from(text), 0, arrivedAt) };
}

/** The rejection of an event, which both ways must agree on. */
async function verdict(event: object): Promise<string> {
  const { checked, scanned } = await read(event);
  if (scanned !== undefined) return "accepted by the scanner";
  return "rejection" in checked ? `${checked.rejection.reason} ${checked.rejection.detail}` : "accepted";
}

const unknown = (place: string) => expect.stringContaining(`unknown_key ${place}`);

describe.each(versionsOf(current))("version %i of the event", (version) => {
  const keys = keysOfVersion(current, version);
  const later = Object.keys(current.properties!).filter((key) => !keys.includes(key));

  it("has the keys of its release", () => {
    const released = readSchema(here(`contract/order-event-${version}.schema.json`));
    expect(keys).toEqual(keysOfVersion(released, version));
  });

  it("is accepted on both paths with all of its keys", async () => {
    const { checked, scanned } = await read(eventOf(version, keys));
    expect(checked).not.toHaveProperty("rejection");
    expect(scanned).toBeDefined();
  });

  it("is rejected on both paths with a key of a later version, with all keys of its version or only the required ones", async () => {
    for (const key of later) {
      expect(await verdict(eventOf(version, [...keys, key]))).toEqual(unknown(`event.${key}`));
      expect(await verdict(eventOf(version, [...(current.required as string[]), key]))).toEqual(
        unknown(`event.${key}`),
      );
    }
  });

  it("is rejected on both paths with an unknown key", async () => {
    for (const [place, event] of withUnknownKeys(eventOf(version, keys)))
      expect(await verdict(event)).toEqual(unknown(place));
  });

  it("keeps its version and its keys when a customer is forgotten", () => {
    const text = JSON.stringify(eventOf(version, keys));
    const person = { customerId: order().customer!.customer_id, pseudonym: "p" };
    const redacted = JSON.parse(redactEvent(text, person, { catalog, filling: fillings[0] }));
    expect({ ...redacted, customer: order().customer }).toEqual({ ...JSON.parse(text), customer: order().customer });
  });
});

describe("a new version", () => {
  const next = withNextVersion(current);
  const newest = Math.max(...versionsOf(next));
  afterEach(() => {
    vi.doUnmock(validator);
    vi.resetModules();
  });

  it("accepts its new key, which no earlier version does", async () => {
    vi.resetModules();
    vi.doMock(validator, () => ({ validate: new Ajv({ messages: false }).compile(next) }));
    const keys = keysOfVersion(next, newest);
    expect(keys).toContain(nextKey);
    expect((await read(eventOf(newest, keys, next))).checked).not.toHaveProperty("rejection");
    for (const [place, event] of withUnknownKeys(eventOf(newest, keys, next)))
      expect(await verdict(event)).toEqual(unknown(place));
    for (const version of versionsOf(current)) {
      const own = keysOfVersion(next, version);
      expect(own).toEqual(keysOfVersion(current, version));
      expect((await read(eventOf(version, own, next))).checked).not.toHaveProperty("rejection");
      for (const key of keys.filter((name) => !own.includes(name))) {
        expect(await verdict(eventOf(version, [...own, key], next))).toEqual(unknown(`event.${key}`));
      }
    }
  });

  it("is detected as incomplete if only its key was added", () => {
    const careless: Schema = { ...next, allOf: current.allOf! };
    const second = readSchema(here("contract/order-event-2.schema.json"));
    expect(keysOfVersion(careless, 2)).not.toEqual(keysOfVersion(second, 2));
  });
});
