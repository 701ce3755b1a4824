import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { goldHash } from "../../../pipeline/backup/manifest.ts";
import { readDayFacts, readFacts, toJson } from "../../../pipeline/gold/facts.ts";
import { callPublish } from "../../../pipeline/gold/publish-windows.ts";
import { datesOf, openGoldPipeline, sql, type GoldPipeline } from "./gold-fixture.ts";
import type { Warehouse } from "../../../pipeline/ports.ts";
import { writeSilver, type FixtureOrder } from "./silver-fixture.ts";

const races = 40;
const writers = 5;
const days = ["2015-03-30", "2015-03-31"];

/** What silver holds at one version; every version has different sales. */
function ordersAt(version: number, dates: readonly string[]): FixtureOrder[] {
  const pizzas = ["hawaiian_m", "bbq_ckn_s", "hawaiian_l"] as const;
  return dates.flatMap((date) =>
    Array.from({ length: 3 + (version % 3) }, (_, index) => ({
      id: `${date}-${index}`,
      at: `${date}T1${index}:00:00`,
      customer: `c${(version + index) % 4}`,
      channel: index % 2 ? "online" : "dine_in",
      lines: [[pizzas[(version + index) % 3]!, 1 + (version % 4)] as const],
    })),
  );
}

let pipeline: GoldPipeline;
let documentOf: (version: number, dates: readonly string[]) => Promise<string>;
beforeAll(async () => {
  pipeline = await openGoldPipeline();
  const facts = new Map<string, Promise<Record<string, unknown>>>();
  documentOf = async (version, dates) => {
    const name = `${version} ${dates.join()}`;
    if (!facts.has(name)) facts.set(name, readAll(version, dates));
    return toJson({ ...(await facts.get(name)), silver_version: version });
  };
});
afterAll(() => pipeline.close());
beforeEach(() => pipeline.empty());

async function readAll(version: number, dates: readonly string[]) {
  const table = (await writeSilver(pipeline.dir, version, ordersAt(version, dates)))();
  const facts = await readDayFacts(pipeline.lake, { sql, table, windows: dates });
  const customers = await readFacts(pipeline.lake, { sql: sql.customerDays, table, windows: dates });
  return { windows: datesOf(ordersAt(version, dates)), ...facts, customer_days: customers };
}

const publish = (document: string) => callPublish(pipeline.writer, "ops.publish_windows", document);
const publishCustomerDays = (document: string) => callPublish(pipeline.writer, "ops.publish_customers", document);

async function hashAfter(work: () => Promise<unknown>): Promise<string> {
  await pipeline.empty();
  await work();
  return (await goldHash(pipeline.reader)).hash;
}

test("the newest version of a day wins, whichever publish is slow", async () => {
  const versions = Array.from({ length: writers }, (_, index) => index + 1);
  const documents = await Promise.all(versions.map((version) => documentOf(version, days)));
  const serial = await hashAfter(() => publish(documents.at(-1)!));
  for (let race = 0; race < races; race++) {
    const order = documents.toSorted((a, b) => ((a.length * (race + 7)) % 11) - ((b.length * (race + 7)) % 11));
    expect(await hashAfter(() => Promise.all(order.map(publish))), `race ${race}`).toBe(serial);
  }
});

test("two days of one month that are published concurrently are both in the month", async () => {
  const all = await Promise.all([1, 2, 3].flatMap((version) => days.map((day) => documentOf(version, [day]))));
  const serial = await hashAfter(async () => {
    for (const document of all) await publish(document);
  });
  for (let race = 0; race < races; race++) {
    const order = all.map((_, index) => all[(index * 5 + race) % all.length]!);
    expect(await hashAfter(() => Promise.all(order.map(publish))), `race ${race}`).toBe(serial);
  }
});

test("concurrent publishes of days, reports and rows by customer lose nothing and do not deadlock", async () => {
  const all = await Promise.all([1, 2].flatMap((version) => days.map((day) => documentOf(version, [day]))));
  const newest = all.slice(2);
  const segments = () => pipeline.writer.query("select ops.publish_customer_segments(2)");
  const serial = await hashAfter(async () => {
    for (const document of newest) await publish(document);
    for (const document of newest) await publishCustomerDays(document);
    await segments();
  });
  for (let race = 0; race < races; race++) {
    const raced = await hashAfter(async () => {
      const report = () => pipeline.writer.query("select ops.report_windows('2015-04-02')");
      await Promise.all([...all.map(publish), report(), ...all.map(publishCustomerDays), segments(), report()]);
      for (const document of newest) await publishCustomerDays(document);
      await segments();
    });
    expect(raced, `race ${race}`).toBe(serial);
  }
});

test("a transaction with an older snapshot of the data is rejected", async () => {
  const document = (await documentOf(1, days)).replaceAll("'", "''");
  await expect(
    pipeline.writer.query(
      `begin isolation level repeatable read; select * from ops.publish_windows('${document}'); commit`,
    ),
  ).rejects.toThrow(/publish at read committed/);
});

test("a rebuild that ends late reverts neither days nor rows by customer", async () => {
  const [old, newest] = [await documentOf(1, days), await documentOf(2, days)];
  await publish(newest);
  await publishCustomerDays(newest);
  const { hash } = await goldHash(pipeline.reader);
  for (const call of ["ops.republish_windows", "ops.republish_customers"]) {
    const done = await pipeline.writer.query(`select published, skipped from ${call}($1::jsonb)`, [old]);
    expect([call, done]).toEqual([call, [{ published: 0, skipped: 2 }]]);
  }
  expect((await goldHash(pipeline.reader)).hash).toBe(hash);
});

describe("a publish that ends late", () => {
  /** Does the work in a transaction that stays open until the returned function is called. */
  async function hold(work: (warehouse: Warehouse) => Promise<unknown>, warehouse = pipeline.writer) {
    const [done, letGo] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const ended = warehouse.transaction("write", async (within) => {
      await work(within);
      done.resolve();
      await letGo.promise;
    });
    await Promise.race([done.promise, ended]);
    return async () => {
      letGo.resolve();
      await ended;
    };
  }

  /** Resolves once a call of the writer waits for a lock, or has ended without waiting. */
  async function untilStuck(call: Promise<unknown>, text: string) {
    const isWaiting = `select from pg_stat_activity where wait_event_type = 'Lock' and query like '%${text}%'`;
    const ended = call.then(
      () => "ended",
      () => "ended",
    );
    while ((await pipeline.writer.query(isWaiting)).length === 0) {
      if ((await Promise.race([ended, sleep(5)])) === "ended") return;
    }
  }

  const publishIn = (within: Warehouse, document: string) => callPublish(within, "ops.publish_windows", document);
  const customersIn = (within: Warehouse, document: string) => callPublish(within, "ops.publish_customers", document);

  test("delays the report of its day, so that the reported version is the one it published", async () => {
    await publish(await documentOf(1, days));
    const letGo = await hold(
      (within) => within.query("select from facts.day_totals where order_date = '2015-03-30' for update"),
      pipeline.owner,
    );
    const publishing = documentOf(2, days).then(publish);
    await untilStuck(publishing, "publish_windows");
    const reporting = pipeline.writer.query("select ops.report_windows('2015-04-02')");
    await untilStuck(reporting, "report_windows");
    await letGo();
    await Promise.all([publishing, reporting]);
    expect(await pipeline.reader.query("select distinct silver_version, reported_version from ops.windows")).toEqual([
      { silver_version: "2", reported_version: "2" },
    ]);
  });

  test("is included in the growth of the next month, which is published concurrently", async () => {
    const [march, april] = ["2015-03-31", "2015-04-01"];
    const first = await documentOf(1, [march, april]);
    const [ofMarch, ofApril] = [await documentOf(2, [march]), await documentOf(3, [april])];
    const serial = await hashAfter(async () => {
      for (const document of [first, ofMarch, ofApril]) await publish(document);
    });
    const raced = await hashAfter(async () => {
      await publish(first);
      const letGo = await hold((within) => publishIn(within, ofMarch));
      const publishing = publish(ofApril);
      await untilStuck(publishing, "publish_windows");
      await letGo();
      await publishing;
    });
    expect(raced).toBe(serial);
  });

  test("is included in the scores of its customers, who also bought in another month", async () => {
    const [march, may] = ["2015-03-31", "2015-05-31"];
    const first = await documentOf(1, [march, may]);
    const [ofMarch, ofMay] = [await documentOf(2, [march]), await documentOf(2, [may])];
    const score = (document: string) => async (within: Warehouse) => {
      await customersIn(within, document);
      await within.query("select ops.publish_customer_segments(2)");
    };
    const publishAll = async () => {
      for (const document of [first, ofMarch, ofMay]) await publish(document);
      await publishCustomerDays(first);
      await pipeline.writer.query("select ops.publish_customer_segments(1)");
    };
    const serial = await hashAfter(async () => {
      await publishAll();
      for (const document of [ofMarch, ofMay]) await score(document)(pipeline.writer);
    });
    const raced = await hashAfter(async () => {
      await publishAll();
      const letGo = await hold(score(ofMarch));
      const scoring = pipeline.writer.transaction("write", score(ofMay));
      await untilStuck(scoring, "publish_customer_segments");
      await letGo();
      await scoring;
    });
    expect(raced).toBe(serial);
  });
});
