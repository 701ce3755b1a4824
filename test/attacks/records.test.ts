import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { QuarantinedOrder } from "../../pipeline/quarantine/list-quarantined.ts";
import { startControlServer } from "../../targets/local/control-server.ts";
import type { Pipeline } from "../../targets/operations.ts";
import { dataDirectory } from "../../targets/local/data-directory.ts";
import { announcePipeline, openLocalPipeline } from "../../targets/local/open.ts";
import { pizza, temporaryPipeline } from "../e2e/command-line-fixture.ts";
import { openSilverPipeline, record } from "../pipeline/silver/refine-fixture.ts";
import { ownOrder, put, rejectedOf, type Place } from "./attack.ts";
import { prepareLocalPipeline } from "../support/prepared-postgres.ts";

/** How often the batch of conflicts was unpacked, by whichever part of the home. */
const unpacked = vi.hoisted(() => ({ batch: Buffer.alloc(0), times: 0 }));

vi.mock("node:zlib", async (importOriginal) => {
  const zlib = await importOriginal<Record<string, unknown>>();
  const counting = (unpack: (...args: unknown[]) => unknown) => {
    return (...args: unknown[]) => {
      if (args[0] instanceof Uint8Array && unpacked.batch.equals(args[0])) unpacked.times += 1;
      return unpack(...args);
    };
  };
  const unpackers = Object.entries(zlib).filter(([name]) => name.startsWith("zstdDecompress"));
  return {
    ...zlib,
    ...Object.fromEntries(unpackers.map(([name, unpack]) => [name, counting(unpack as () => unknown)])),
  };
});

const { dir, remove } = temporaryPipeline();
let pipeline: Pipeline;
let rejected: QuarantinedOrder[];

/** The escape that colours what follows, and the one that gives the window another title. */
const [red, title] = ["\u001b[31m", "\u001b]0;taken over\u0007"];

/** What each command prints of them at least, escapes or not. */
const marks = { "quarantine show": "taken over", verify: "31mtill", query: "taken over" };

const plain = {
  manyEmptyLines: zstdCompressSync(Buffer.alloc(20_000, "\n")),
  unknownKey: JSON.stringify({ ...ownOrder(), [title]: 1 }),
  beforeTheGap: JSON.stringify(ownOrder({ producer: { producer_id: `${red}till`, seq: 1 } })),
  afterTheGap: JSON.stringify(ownOrder({ producer: { producer_id: `${red}till`, seq: 3 } })),
};

const emoji = ownOrder({ customer: { customer_id: "\u{1f355}".repeat(64) } });

/** One order and revision in other bytes each time. */
const conflicts = (() => {
  const event = ownOrder();
  const sent = Array.from({ length: 200 }, (_, n) => ({ ...event, producer: { ...event.producer, seq: n + 1 } }));
  return zstdCompressSync(sent.map((each) => JSON.stringify(each)).join("\n"));
})();

/** Two whole parts of two events each, the second with a wrong first byte. */
const secondPartSpoilt = (compress: (text: string) => Buffer) => {
  const [first, second] = [0, 1].map(() => compress(`${JSON.stringify(ownOrder())}\n${JSON.stringify(ownOrder())}\n`));
  second![0] = 0;
  return Buffer.concat([first!, second!]);
};
const spoilt = { gzip: secondPartSpoilt(gzipSync), zstd: secondPartSpoilt((text) => zstdCompressSync(text)) };

/** Orders of a store in New York, with the store's local date and hour. */
const times = {
  "in UTC": { order: ownOrder({ ordered_at: "2015-01-03T02:30:00Z" }), right: "2015-01-02 21" },
  "with an offset that no store has": {
    order: ownOrder({ ordered_at: "2015-01-06T10:00:00+14:00" }),
    right: "2015-01-05 15",
  },
  "in UTC, at the turn of the year 2000": {
    order: ownOrder({ ordered_at: "2000-01-01T00:10:00+00:00" }),
    right: "1999-12-31 19",
  },
};

/** The same key twice; a reader takes the last one. */
const twice = {
  status: JSON.stringify(ownOrder()).replace('"status":', '"status":"cancelled","status":'),
  quantity: JSON.stringify(ownOrder()).replace('"quantity":', '"quantity":7,"quantity":'),
  order_id: JSON.stringify(ownOrder()).replace('"order_id":', '"order_id":"another","order_id":'),
  customer: JSON.stringify(ownOrder()).replace('"customer":', '"customer":{"customer_id":"another"},"customer":'),
};

type Places<Contents> = Record<keyof Contents, Place>;

async function putAll<Contents extends Record<string, string | Buffer>>(contents: Contents): Promise<Places<Contents>> {
  const places = await put(pipeline, ...Object.values(contents));
  return Object.fromEntries(Object.keys(contents).map((name, n) => [name, places[n]])) as Places<Contents>;
}

let places: Places<typeof plain>;
let spoiltPlaces: Places<typeof spoilt>;
let twicePlaces: Places<typeof twice>;
let timesPlaces: Record<keyof typeof times, Place>;
let emojiPlace: Place;
/** The date and hour of each order in silver. */
let booked: Map<unknown, string>;

const forgotten: Record<string, { isLeft: boolean; unreadable: number }> = {};
const printed: Record<string, string> = {};

beforeAll(async () => {
  await prepareLocalPipeline(dir);
  pipeline = await openLocalPipeline({ dir });
  // One after the other, before any other event that cannot be inspected is rejected.
  const hidden = { customer_id: "c-hidden", name: "Hidden Guest" };
  const shadowed = JSON.stringify(ownOrder()).replace(
    '"customer":',
    `"customer":${JSON.stringify(hidden)},"customer":`,
  );
  forgotten["behind a duplicate key"] = await forget(hidden.customer_id, Buffer.from(shadowed));
  const nested = zstdCompressSync(
    zstdCompressSync(JSON.stringify(ownOrder({ customer: { customer_id: "c-nested" } }))),
  );
  forgotten["in a nested batch"] = await forget("c-nested", nested);

  unpacked.batch = conflicts;
  await put(pipeline, conflicts);
  await pipeline.drain();
  unpacked.batch = Buffer.alloc(0);

  places = await putAll(plain);
  spoiltPlaces = await putAll(spoilt);
  twicePlaces = await putAll(twice);
  const timesSent = Object.entries(times).map(([name, { order }]) => [name, JSON.stringify(order)]);
  timesPlaces = (await putAll(Object.fromEntries(timesSent))) as typeof timesPlaces;
  [emojiPlace] = (await put(pipeline, JSON.stringify(emoji))) as [Place];
  await pipeline.drain();
  rejected = await pipeline.quarantined();
  const rows = await pipeline.query({
    sql: "select distinct order_id, order_date || ' ' || order_hour as booked from silver_order_lines",
    lake: true,
  });
  booked = new Map(rows.map((row) => [row["order_id"], String(row["booked"])]));
  await printAll();
});

afterAll(async () => {
  await pipeline.close();
  remove();
});

/** Sends what holds a customer, and forgets them: whether the record is in the stream as it came, and what was said. */
async function forget(customerId: string, data: Buffer): Promise<{ isLeft: boolean; unreadable: number }> {
  await put(pipeline, data);
  await pipeline.drain();
  const { unreadable } = await pipeline.forget({ customerId });
  const logs = readdirSync(dataDirectory(dir).stream, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".log"))
    .map((name) => readFileSync(join(dataDirectory(dir).stream, name)));
  return { isLeft: logs.some((log) => log.includes(data)), unreadable };
}

/** Runs the command line on this data directory, as from another terminal. */
async function printAll(): Promise<void> {
  const announcement = announcePipeline(dir);
  const server = await startControlServer(pipeline, { port: 0, token: announcement.token, onStop: () => {} });
  announcement.publish(server.port);
  const [unknownKey] = rejectedOf(rejected, places.unknownKey);
  const commands = {
    "quarantine show": ["quarantine", "show", unknownKey!.id],
    verify: ["verify"],
    query: ["query", "--lake", "select detail from quarantine_order_events where reason = 'unknown_key'"],
  };
  for (const [name, args] of Object.entries(commands)) printed[name] = (await pizza(dir, ...args)).stdout;
  announcement.withdraw();
  await server.close();
  const unmarked = Object.entries(marks).filter(([name, mark]) => !printed[name]!.includes(mark));
  if (unmarked.length > 0) throw new Error(`not printed: ${JSON.stringify(unmarked)}`);
}

describe("a batch", () => {
  it("of thousands of empty lines is one row in the quarantine", () => {
    expect(rejectedOf(rejected, places.manyEmptyLines)).toHaveLength(1);
  });

  it("of many events of one order and revision is unpacked once, not once per event", () => {
    expect(unpacked.times).toBe(1);
  });

  it("of two gzip members is not reduced to the first if the second is corrupt", () => {
    expect(rejectedOf(rejected, spoiltPlaces.gzip)).not.toEqual([]);
  });

  it("of two zstd frames is not reduced to the first if the second is corrupt", () => {
    expect(rejectedOf(rejected, spoiltPlaces.zstd)).not.toEqual([]);
  });
});

describe("a bronze object that crashes every run", () => {
  const tries = 10;
  let orders: unknown[];

  beforeAll(async () => {
    const silver = await openSilverPipeline();
    const key = await silver.land(record(1, ownOrder()));
    const path = join(silver.root, key);
    writeFileSync(path, readFileSync(path).subarray(0, 100));
    const behind = ownOrder();
    await silver.land(record(2, behind));
    for (let n = 0; n < tries; n++) await silver.refine().catch(() => {});
    orders = (await silver.openRefinery().silver.snapshot()).files.size === 0 ? [] : await silver.rows("order_id");
    silver.close();
  });

  it("is set aside after some attempts, and the orders behind it are refined", () => {
    expect(orders).toHaveLength(1);
  });
});

describe("an order from a till in another time zone than its store", () => {
  it.each(Object.keys(times) as (keyof typeof times)[])("%s, counts on the store's local date", (name) => {
    const { order, right } = times[name];
    const isRejected = rejectedOf(rejected, timesPlaces[name]).length > 0;
    expect(isRejected ? right : booked.get(order.order_id)).toBe(right);
  });
});

describe("an event", () => {
  it.each(Object.keys(twice) as (keyof typeof twice)[])("with a duplicate %s is rejected", (key) => {
    expect(rejectedOf(rejected, twicePlaces[key])).toHaveLength(1);
  });

  it("whose customer id has the maximum number of characters, each of four bytes, is accepted", () => {
    expect(rejectedOf(rejected, emojiPlace)).toEqual([]);
  });
});

describe("a forgotten customer", () => {
  it.each(["behind a duplicate key", "in a nested batch"])(
    "is removed %s, or that place is reported as not inspected",
    (where) => {
      const { isLeft, unreadable } = forgotten[where]!;
      expect(isLeft && unreadable === 0).toBe(false);
    },
  );
});

describe("text from a till", () => {
  it.each(Object.keys(marks))("cannot control a terminal through ./pizza %s", (command) => {
    // oxlint-disable-next-line no-control-regex
    expect(printed[command]).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  });
});
