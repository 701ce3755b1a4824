import type { Random } from "../../producer/random.ts";
import { order } from "../support/order-fixture.ts";

/** A valid event of the fuzz, as the text that is sent. */
export interface FuzzEvent {
  orderId: string;
  revision: number;
  emittedAt: string;
  seq: number;
  quantity: number;
  text: string;
}

/** A text that is one event and that must be rejected. */
export interface InvalidText {
  text: Buffer;
  /**
   * Whether its braces, brackets, strings and commas are right, so that other events may stand on its line. Text that
   * is not may only be split at the end of its line.
   */
  isWhole: boolean;
  /** Whether it begins an object or array, so that it never continues the line before it. */
  isOpening: boolean;
}

const names = [
  "Ada",
  "Zoë Ångström",
  "李雷",
  "\u{1f355}\u{1f355}",
  "a\u0301e\u0308",
  "\u202eAda",
  "a\u2028b",
  '"\\/',
  "\t\n",
];
const statuses = ["placed", "amended", "cancelled", "refunded"];
const tills = 40;
const few = () => 1;
const lineCounts: ((random: Random) => number)[] = [
  ...Array.from({ length: 80 }, () => few),
  ...Array.from({ length: 4 }, () => (random: Random) => random.integer(2, 10)),
  (random) => random.integer(random.integer(2, 200), 200),
];
const minuteMs = 60_000;
const february = Date.parse("2015-02-01T17:00:00Z");
/** Numbers that are no quantity. */
const wrongNumbers = ["1e400", "-1e400", "1e-400", "1e21", "-0.5", "0", "101", "9".repeat(400), "1.0000000001", "-1"];
/** Texts that JSON does not have. */
const noJson = [
  (text: string) => text.replace('"quantity":', '"quantity":0'),
  (text: string) => text.replace('"quantity":', '"quantity":+'),
  (text: string) => text.replace('"channel"', "'channel'"),
  (text: string) => text.replace('"status":"', '"status":"\\x41'),
  (text: string) => text.replace('"status":"', '"status":"\\ud8'),
  (text: string) => text.replace('"status":"', '"status":"\t'),
  (text: string) => text.replace('"status":"', '"status":"\0'),
  (text: string) => text.replace('"lines":[', '"lines":[,'),
  (text: string) => text.replace("}]", "},]"),
  (text: string) => text.replace('"revision":', '"revision":NaN,"revision":'),
  (text: string) => text.replace('"revision"', '/* */"revision"'),
  (text: string) => `${text}}`,
  (text: string) => `${text} x`,
  (text: string) => `${text}]`,
  (text: string) => `${text};`,
  (text: string) => `${text.slice(0, -1)},}`,
];

/** Makes valid events and invalid texts. Each order id has 16 characters, so that none contains another. */
export function createOrderTexts(random: Random) {
  let orders = 0;
  const counters = Array.from({ length: tills }, () => 0);

  /** A till's next number, for an event that is certain to be read; else a till that sends only its first event. */
  function producer(isCertain: boolean) {
    if (!isCertain) return { producer_id: "till-unread", seq: 1 };
    const till = random.integer(0, tills - 1);
    return { producer_id: `till-${till}`, seq: (counters[till] = counters[till]! + 1) };
  }

  function make(isCertain: boolean, changes: Partial<FuzzEvent & Timed> = {}, forms = validForms): FuzzEvent & Timed {
    const orderId = changes.orderId ?? `fuzz-${String((orders += 1)).padStart(11, "0")}`;
    const orderedAt = changes.orderedAt ?? february + random.integer(0, 27 * 24 * 60 - 1) * minuteMs;
    const revision = changes.revision ?? 0;
    const emittedAt = changes.emittedAt ?? new Date(orderedAt + 1000).toISOString();
    const quantity = random.integer(1, 100);
    const by = producer(isCertain);
    const event = order({
      order_id: orderId,
      revision,
      status: random.pick(statuses),
      ordered_at: new Date(orderedAt).toISOString(),
      emitted_at: emittedAt,
      customer: random.chance(0.5) ? undefined : { customer_id: `c-${orders}`, name: random.pick(names) },
      lines: Array.from({ length: random.pick(lineCounts)(random) }, (_, n) => ({
        line_no: n + 1,
        pizza_id: "hawaiian_m",
        quantity: n === 0 ? quantity : 1,
        unit_price: 13.25,
      })),
      producer: by,
    });
    const text = random.pick(forms)(event, random);
    return { orderId, revision, emittedAt, seq: by.seq, quantity, text, orderedAt };
  }

  return {
    /** A valid event of a separate order. */
    make,
    /** A later revision of the order. */
    revise: (event: FuzzEvent & Timed) =>
      make(true, {
        orderId: event.orderId,
        orderedAt: event.orderedAt,
        revision: event.revision + random.integer(1, 3),
      }),
    /** Another payload of the same order and revision, sent earlier or later. */
    contradict: (event: FuzzEvent & Timed) =>
      make(true, {
        orderId: event.orderId,
        orderedAt: event.orderedAt,
        revision: event.revision,
        emittedAt: new Date(event.orderedAt + random.integer(2, 5000)).toISOString(),
      }),
    /** One event that must be rejected. */
    invalid(): InvalidText {
      const { text } = make(false, {}, plainForm);
      return random.pick(invalidForms)(text, random);
    },
  };
}

export type OrderTexts = ReturnType<typeof createOrderTexts>;

/** When the guest ordered, in milliseconds since 1970: the same in every revision. */
export interface Timed {
  orderedAt: number;
}

type Event = ReturnType<typeof order>;

const plainForm = [(event: Event) => JSON.stringify(event)];

/** Ways to write the same event. */
const validForms: ((event: Event, random: Random) => string)[] = [
  (event) => JSON.stringify(event),
  (event) => JSON.stringify(event),
  (event) => JSON.stringify(event),
  (event, random) => JSON.stringify(event, undefined, random.pick([" ", "  ", "\t"])),
  (event, random) => JSON.stringify(Object.fromEntries(random.shuffle(Object.entries(event)))),
  (event) => JSON.stringify(event).replace('"order_id"', String.raw`"\u006frder_id"`),
  (event) => JSON.stringify(event).replace('"status"', String.raw`"\u0073\u0074atus"`),
  (event) =>
    JSON.stringify(event).replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`),
  (event) => JSON.stringify(event).replaceAll('"unit_price":13.25', '"unit_price":1325e-2'),
  (event) => JSON.stringify(event).replaceAll('"unit_price":13.25', '"unit_price":13.250000'),
  (event) => JSON.stringify(event).replace(/"quantity":(\d+)/g, '"quantity":$1.0'),
  (event) => JSON.stringify(event).replace('"revision":0,', '"revision":-0,'),
  (event) => JSON.stringify({ ...event, customer: null }),
  (event) => JSON.stringify({ ...event, customer: { customer_id: "c-1", name: null, email: null } }),
  (event) => JSON.stringify({ ...event, schema_version: 2, tip: 1.5, promotion_code: "TWO" }),
  (event) => JSON.stringify(event).replaceAll(",", " ,\t").replaceAll(':"', ' : "'),
  (event, random) => JSON.stringify(event).replace("{", `{${" ".repeat(random.integer(1, 3000))}`),
];

const asText = (isWhole: boolean, change: (text: string, random: Random) => string) => {
  return (text: string, random: Random): InvalidText => {
    const changed = change(text, random);
    return { text: Buffer.from(changed), isWhole, isOpening: /^[[{]/.test(changed) };
  };
};
const asBytes = (change: (text: Buffer, random: Random) => Buffer) => {
  return (text: string, random: Random): InvalidText => {
    return { text: change(Buffer.from(text), random), isWhole: false, isOpening: true };
  };
};
const nested = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth);

/** Ways to spoil an event: every result is one rejected event. */
const invalidForms: ((text: string, random: Random) => InvalidText)[] = [
  asText(true, (text) => text.replace('"status":', '"status":"cancelled","status":')),
  asText(true, (text) => text.replace('"status":', String.raw`"\u0073tatus":"cancelled","status":`)),
  asText(true, (text) => text.replace('"quantity":', '"quantity":7,"quantity":')),
  asText(true, (text) => text.replace('"revision":', '"surprise":{},"revision":')),
  asText(true, (text) => text.replace('"revision":', '"__proto__":{"order_id":"x"},"revision":')),
  asText(true, (text) => text.replace('"revision":', '"constructor":null,"revision":')),
  asText(true, (text) => text.replace(/"channel":"[^"]*",/, "")),
  asText(true, (text) => text.replace(/"lines":\[.*\],/, '"lines":[],')),
  asText(true, (text) => text.replace(/"lines":\[.*\],/, '"lines":{},')),
  asText(true, (text) => text.replace('"hawaiian_m"', '"no_such_pizza"')),
  asText(true, (text) => text.replace('"nyc-01"', '"\\ud800"')),
  asText(true, (text) => text.replace('"till-unread"', '"till\\u0000"')),
  asText(true, (text) => text.replace('"till-unread"', '"till\\udc00\\ud800"')),
  asText(true, (text) => text.replace("13.25", "13.251")),
  asText(true, (text) => text.replace("13.25", '"13.25"')),
  asText(true, (text) => text.replace(/"ordered_at":"[^"]*"/, '"ordered_at":"2015-02-30T12:00:00-05:00"')),
  asText(true, (text) => text.replace(/"ordered_at":"[^"]*"/, '"ordered_at":"2150-02-03T12:00:00-05:00"')),
  asText(true, (text) => text.replace(/"order_id":"[^"]*"/, '"order_id":["x"]')),
  asText(true, (text, random) => text.replace(/"quantity":\d+/, `"quantity":${random.pick(wrongNumbers)}`)),
  asText(true, (text, random) => text.replace('"revision":0', `"revision":${nested("[", "]", random.integer(1, 12))}`)),
  asText(false, (text, random) =>
    text.replace('"revision":0', `"revision":${nested("[", "]", random.integer(40, 30_000))}`),
  ),
  asText(false, (text, random) =>
    text.replace('"revision":0', `"revision":${'{"a":'.repeat(random.integer(40, 9000))}`),
  ),
  asText(true, (text) => text.replace("{", `{${" ".repeat(70_000)}`)),
  asText(true, () => "{}"),
  asText(true, () => "[]"),
  asText(true, () => '[1,"two",null]'),
  asText(true, () => '{"":{"":""}}'),
  asText(false, () => "null"),
  asText(false, () => '"order_id"'),
  asText(false, () => "-1e5"),
  asText(false, () => "order_id,revision,status"),
  asText(false, (text, random) => random.pick(noJson)(text)),
  asText(false, (text, random) => text.slice(0, random.integer(1, text.length - 1))),
  asText(false, (text, random) => text.slice(random.integer(1, text.length - 1)).replace(/^[[{\s]+/, "x")),
  asText(false, (text) => JSON.stringify(text)),
  asBytes((text, random) =>
    Buffer.concat([text.subarray(0, 30), Buffer.from([random.integer(0x80, 0xff)]), text.subarray(30)]),
  ),
  asBytes((text) => Buffer.concat([text.subarray(0, 12), Buffer.from([0xed, 0xa0, 0x80]), text.subarray(12)])),
  asBytes((text) => Buffer.concat([text.subarray(0, 12), Buffer.from([0xc0, 0xaf]), text.subarray(12)])),
];
