import { isUtf8 } from "node:buffer";
import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readProjectJson } from "../../../adapters/project-files.ts";
import { checkOrder } from "../../../pipeline/domain/check-order.ts";
import { limits } from "../../../pipeline/domain/rejection-reasons.ts";
import { OrderScanner } from "../../../pipeline/domain/scan-order.ts";
import { catalog, micros, order } from "../../support/order-fixture.ts";

const contract: { properties: object; required: string[] } = readProjectJson("pipeline/domain/order-event.schema.json");
const customerKey = (customerId: string) => `token of ${customerId}`;
const scanner = new OrderScanner({ catalog, customerKey });
const arrivedAt = micros("2015-01-01T16:38:38Z");
const valid = JSON.stringify(order());
const second = JSON.stringify(inVersion2({ promotion_code: "FRIDAY-10", tip: 2.5 }));

/** Creates an event of version 2, with its keys in the contract's order. */
function inVersion2({ promotion_code, tip, ...changes }: Record<string, unknown>) {
  const { producer, ...before } = order(changes);
  return { ...before, schema_version: 2, promotion_code, tip, producer };
}

/** Returns the scanner's result for one event; undefined if it leaves the event to `checkOrder`. */
function scan(bytes: Buffer) {
  if (!isUtf8(bytes)) return undefined;
  const scanned = scanner.scan(bytes, 0, arrivedAt);
  return scanner.end === bytes.length ? scanned : undefined;
}

const optionalKeys = Object.keys(contract.properties).filter((key) => !contract.required.includes(key));

/** Returns the result of `checkOrder`, reduced to the fields that silver stores; undefined if it rejects the event. */
function check(bytes: Buffer) {
  if (bytes.length > limits.eventBytes || !isUtf8(bytes)) return undefined;
  const checked = checkOrder(bytes.toString(), arrivedAt, catalog);
  if ("rejection" in checked) return undefined;
  const { schema_version: _, ordered_at: __, emitted_at: ___, customer, lines, ...facts } = checked.event;
  const guest = customer && {
    customer_id: customer.customer_id,
    customer_key: customerKey(customer.customer_id),
  };
  const kept = lines.map(({ line_no, pizza_id, quantity }) => ({ line_no, pizza_id, quantity }));
  return {
    ...checked,
    event: {
      ...Object.fromEntries(optionalKeys.map((key) => [key, undefined])),
      ...facts,
      customer: guest,
      lines: kept,
    },
  };
}

/** Whether the scanner leaves the event to `checkOrder` or returns the same result. */
function agrees(bytes: Buffer): boolean {
  const scanned = scan(bytes);
  return scanned === undefined || isDeepStrictEqual(scanned, check(bytes));
}

const near = (...numbers: number[]) => fc.constantFrom(...numbers.flatMap((n) => [n - 1, n, n + 1]), 0, 1.5, -1, 1e21);
const text = (longest: number) =>
  fc.oneof(
    fc.string({ maxLength: 8 }),
    fc.constantFrom("é", "🍕", 'a"b', "a\\b", "\0", "\u007f", "\ud83c", "x\ny", ""),
    fc.constantFrom("x".repeat(longest - 1), "x".repeat(longest), "x".repeat(longest + 1), "é".repeat(longest)),
  );
const mostly = <Value>(usual: Value, others: fc.Arbitrary<unknown>) =>
  fc.oneof({ arbitrary: fc.constant(usual), weight: 12 }, { arbitrary: others, weight: 1 });
const time = fc.constantFrom(
  ..."2015-01-01T16:43:38Z 2015-01-01T16:43:38.000001Z 2015-02-29T00:00:00Z 2015-01-01T24:00:00Z".split(" "),
  ..."2014-12-31T23:59:59.999999-05:00 2015-01-01T00:00:00.1234567Z 1999-12-31T23:59:59Z 2015-01-01".split(" "),
);
const line = fc.record({
  line_no: mostly(1, near(1, 2, 1_000_000)),
  pizza_id: mostly("hawaiian_m", fc.constantFrom("hawaiian_l", "calzone_m", "")),
  quantity: mostly(1, near(1, 100)),
  unit_price: mostly(13.25, fc.constantFrom(13.2, 13, 16.5, 13.255, 12.75, 1325, -13.25, 13.250001)),
});
const numbered = fc.integer({ min: 198, max: 202 }).map((count) => linesFrom(1, count));
const event = fc.record({
  schema_version: fc.oneof(
    { arbitrary: fc.constantFrom(1, 2), weight: 12 },
    { arbitrary: fc.constantFrom(99, "1", "2"), weight: 1 },
  ),
  order_id: mostly("2015-000001", text(64)),
  revision: mostly(0, near(1_000_000)),
  status: mostly("placed", fc.constantFrom("amended", "cancelled", "refunded", "eaten", "")),
  ordered_at: mostly("2015-01-01T11:38:36-05:00", time),
  emitted_at: mostly("2015-01-01T16:38:37.120Z", time),
  store_id: mostly("nyc-01", fc.constantFrom("chi-01", "par-01")),
  channel: mostly("dine_in", fc.constantFrom("takeaway", "delivery", "online", "drone")),
  customer: mostly(
    undefined,
    fc.record(
      {
        customer_id: text(64),
        name: text(200),
        email: text(254),
        phone: text(40),
        city: text(100),
        postal_code: text(20),
      },
      { requiredKeys: ["customer_id"] },
    ),
  ),
  lines: fc.oneof(fc.array(line, { minLength: 0, maxLength: 3 }), numbered, fc.constant(linesFrom(7, 2))),
  promotion_code: mostly(undefined, text(32)),
  tip: mostly(undefined, fc.constantFrom(0, 0.01, 2.5, 3, 10_000, 10_000.01, -1, 0.001, 1e21, "1", null)),
  producer: fc.record({ producer_id: mostly("till", text(64)), seq: mostly(1, near(0, 2 ** 53 - 1, 1e15)) }),
});

function linesFrom(first: number, count: number) {
  return Array.from({ length: count }, (_, i) => ({ ...order().lines[0], line_no: first + i }));
}

/** Returns the keys of a value and of everything in it. */
function keysOf(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  const keys = Array.isArray(value) ? [] : Object.keys(value);
  return [...keys, ...Object.values(value).flatMap(keysOf)];
}

const guestTexts = [
  ["customer_id", 64],
  ["name", 200],
  ["email", 254],
  ["phone", 40],
  ["city", 100],
  ["postal_code", 20],
] as const;
const cut = fc.record({ at: fc.nat(second.length), length: fc.integer({ min: 1, max: 40 }), byte: fc.nat(255) });
const anyByte = fc.constantFrom(...Buffer.from('0123456789"\\{}[],:.-+eE \n\0aZ'), 0xc3, 0xff);

describe("the scanner", () => {
  it("reads every plain event, with the same result as the slow path", () => {
    const { customer: _, ...anonymous } = order();
    const usual = [
      order(),
      anonymous,
      order({ customer: { customer_id: "ç-1" } }),
      order({ customer: { customer_id: "c", name: "Zoë 🍕", email: "", phone: "1", city: "x", postal_code: "y" } }),
      order({ customer: { customer_id: "c", email: "a@b", postal_code: "y" } }),
      order({ lines: [...linesFrom(1, 200)] }),
      order({ ordered_at: "2014-12-31T23:30:00.5+01:30", revision: 1_000_000, status: "refunded", channel: "online" }),
      order({ producer: { producer_id: "t", seq: 0 }, store_id: "chi-01" }),
      inVersion2({}),
      inVersion2({ promotion_code: "FRIDAY-10" }),
      inVersion2({ tip: 0 }),
      inVersion2({ tip: 10_000 }),
      inVersion2({ promotion_code: "x".repeat(32), tip: 2.05, customer: undefined, lines: linesFrom(1, 3) }),
    ].map((sent) => Buffer.from(JSON.stringify(sent)));
    for (const bytes of [...usual, ...usual]) {
      expect(check(bytes)).toBeDefined();
      expect(scan(bytes), bytes.toString()).toEqual(check(bytes));
    }
  });

  it("agrees with the slow path on events at and beyond every limit", () => {
    let taken = 0;
    const property = fc.property(event, (sent) => {
      const bytes = Buffer.from(JSON.stringify(sent));
      taken += Number(scan(bytes) !== undefined);
      return agrees(bytes);
    });
    expect(fc.check(property, { numRuns: 4000 })).toMatchObject({ failed: false });
    expect(taken).toBeGreaterThan(100);
  });

  it("accepts each value up to its limit, and none beyond", () => {
    const lines = (changes: object) => ({ lines: [{ ...order().lines[0], ...changes }] });
    const guest = (changes: object) => ({ customer: { customer_id: "c", ...changes } });
    const within = [
      { order_id: "x".repeat(64) },
      { revision: 1_000_000 },
      { ordered_at: "2015-01-01T16:43:38Z" },
      lines({ line_no: 1_000_000 }),
      lines({ quantity: 100 }),
      { producer: { producer_id: "x".repeat(64), seq: 999_999_999_999_999 } },
      ...guestTexts.map(([field, longest]) => guest({ [field]: "x".repeat(longest) })),
    ];
    const beyond = [
      { order_id: "x".repeat(65) },
      { order_id: "" },
      { order_id: "two words" },
      { revision: 1_000_001 },
      { ordered_at: "2015-01-01T16:43:38.000001Z" },
      lines({ line_no: 0 }),
      lines({ line_no: 1_000_001 }),
      lines({ quantity: 0 }),
      lines({ quantity: 101 }),
      lines({ unit_price: 1.325 }),
      lines({ unit_price: 13.3 }),
      { lines: linesFrom(1, 201) },
      { lines: [] },
      { producer: { producer_id: "x".repeat(65), seq: 1 } },
      { producer: { producer_id: "", seq: 1 } },
      { producer: { producer_id: "x", seq: 9_007_199_254_740_992 } },
      guest({ customer_id: "" }),
      ...guestTexts.map(([field, longest]) => guest({ [field]: "x".repeat(longest + 1) })),
      inVersion2({ promotion_code: "" }),
      inVersion2({ promotion_code: "x".repeat(33) }),
      inVersion2({ tip: 10_000.01 }),
      inVersion2({ tip: 0.001 }),
      inVersion2({ tip: -1 }),
      { ...inVersion2({ tip: 1 }), schema_version: 1 },
      { ...inVersion2({ promotion_code: "x" }), schema_version: 1 },
      { ...inVersion2({ tip: 1 }), schema_version: 99 },
    ];
    const bytesOf = (changes: Record<string, unknown>) =>
      Buffer.from(JSON.stringify("lines" in changes && "producer" in changes ? changes : order(changes)));
    for (const bytes of within.map(bytesOf)) expect(scan(bytes), bytes.toString()).toEqual(check(bytes));
    expect(within.map(bytesOf).filter((bytes) => check(bytes) === undefined)).toEqual([]);
    expect(beyond.filter((changes) => scan(bytesOf(changes)) !== undefined)).toEqual([]);
    expect(beyond.filter((changes) => check(bytesOf(changes)) !== undefined)).toEqual([]);
  });

  it("agrees with the slow path however the bytes are damaged", () => {
    const property = fc.property(
      cut,
      anyByte,
      fc.constantFrom(valid, second),
      ({ at, length, byte }, special, sent) => {
        const bytes = Buffer.from(sent);
        const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
        const damaged = [
          ...[byte, special].flatMap((value) => [
            Buffer.concat([before, Buffer.from([value]), after.subarray(1)]),
            Buffer.concat([before, Buffer.from([value]), after]),
          ]),
          Buffer.concat([before, after.subarray(length)]),
          Buffer.concat([before, after.subarray(0, length), after]),
          before,
        ];
        return damaged.every(agrees);
      },
    );
    expect(fc.check(property, { numRuns: 3000 })).toMatchObject({ failed: false });
  });

  it("agrees with the slow path on every single byte replaced, omitted or duplicated", () => {
    const bytes = Buffer.from(second);
    const damaged = Array.from(bytes.keys()).flatMap((at) => {
      const [before, after] = [bytes.subarray(0, at), bytes.subarray(at + 1)];
      const replaced = Array.from('019"\\{}, .-e\0', (byte) => Buffer.concat([before, Buffer.from(byte), after]));
      return [Buffer.concat([before, after]), Buffer.concat([before, bytes.subarray(at)]), ...replaced];
    });
    expect(damaged.filter((each) => !agrees(each)).map(String)).toEqual([]);
  });

  it.each([
    ["a duplicate field", valid.replace('"revision":0', '"revision":0,"revision":1')],
    [
      "another order of the fields",
      valid.replace('"store_id":"nyc-01","channel":"dine_in"', '"channel":"dine_in","store_id":"nyc-01"'),
    ],
    ["white space", valid.replace(",", ", ")],
    ["an escape", valid.replace("Ada", "\\u0041da")],
    ["a number in another form", valid.replace('"quantity":1', '"quantity":1.0')],
    ["a price in another form", valid.replace("13.25", "1325e-2")],
    ["lines whose numbers do not ascend", JSON.stringify(order({ lines: linesFrom(1, 2).toReversed() }))],
    ["more than one event", `${valid}\n${valid}`],
    ["a byte order mark", `\uFEFF${valid}`],
  ])("leaves %s to the slow path", (_, sent) => {
    expect(scan(Buffer.from(sent))).toBeUndefined();
  });

  it("leaves every event with a duplicate key to the slow path, which rejects it", () => {
    const full = JSON.stringify(
      inVersion2({
        promotion_code: "FRIDAY-10",
        tip: 2.5,
        customer: { customer_id: "c", name: "n", email: "e", phone: "p", city: "x", postal_code: "y" },
      }),
    );
    const values = '"[^"]*"|[\\d.]+|\\[[^\\]]*\\]|\\{[^}]*\\}';
    // The lookahead advances one character at a time, so members within a member match too.
    const members = [...full.matchAll(new RegExp(`(?="([a-z_]+)":(${values}))`, "g"))].map(
      ({ 1: key, 2: value, index }) => ({ key, member: `"${key}":${value}`, index }),
    );
    const keys = keysOf(JSON.parse(full));
    expect(members).toHaveLength(keys.length);
    expect(new Set(members.map(({ key }) => key))).toEqual(new Set(keys));
    for (const { key, member, index } of members) {
      for (const other of [member, `"${key}":"other"`, `"${key}":7`, `"${key}":null`]) {
        const end = index + member.length;
        const first = Buffer.from(`${full.slice(0, index)}${other},${full.slice(index)}`);
        const last = Buffer.from(`${full.slice(0, end)},${other}${full.slice(end)}`);
        expect([scan(first), scan(last)], `${key} ${other}`).toEqual([undefined, undefined]);
        for (const twice of [first, last]) {
          const checked = checkOrder(twice.toString(), arrivedAt, catalog);
          expect("rejection" in checked && checked.rejection.reason, twice.toString()).toBe("duplicate_key");
        }
      }
    }
  });

  it("reports where the event ended, and starts anywhere in a batch", () => {
    const batch = Buffer.from(`garbage\n${valid}\n${valid.slice(0, -3)}\n${valid}`);
    expect(scanner.scan(batch, 8, arrivedAt)).toEqual(check(Buffer.from(valid)));
    expect(scanner.end).toBe(8 + valid.length);
    expect(scanner.scan(batch, 9 + valid.length, arrivedAt)).toBeUndefined();
    expect(scanner.scan(batch, batch.length - valid.length, arrivedAt)).toEqual(check(Buffer.from(valid)));
  });

  it("leaves an event that is too long to the slow path", () => {
    const long = { customer_id: "c", name: "x".repeat(200) };
    const lines = linesFrom(900_000, 200).map((each) => ({ ...each, pizza_id: "p".repeat(64) }));
    const pizzas = new Map([
      ["p".repeat(64), [{ ...catalog.pizzas.get("hawaiian_m")![0]!, pizza_id: "p".repeat(64) }]],
    ]);
    const event64 = Buffer.from(JSON.stringify(order({ customer: long, lines })));
    const found = new OrderScanner({ catalog: { ...catalog, pizzas }, customerKey }).scan(event64, 0, arrivedAt);
    expect(found === undefined).toBe(event64.length > limits.eventBytes);
  });
});
