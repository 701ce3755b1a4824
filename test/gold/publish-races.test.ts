import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { goldHash } from "../../lambdas/gold/gold-hash.ts";
import { readDayFacts } from "../../lambdas/gold/day-facts.ts";
import { readFacts, toJson } from "../../lambdas/gold/lake-facts.ts";
import { callPublish } from "../../lambdas/gold/publish-windows.ts";
import { datesOf, openGoldHome, sql, type GoldHome } from "./gold-home.ts";
import { writeSilver, type FixtureOrder } from "./silver-fixture.ts";

const races = 40;
const writers = 5;
const days = ["2015-03-30", "2015-03-31"];

/** What silver held at one version: every version sells something else. */
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

let home: GoldHome;
let documentOf: (version: number, dates: readonly string[]) => Promise<string>;
beforeAll(async () => {
  home = await openGoldHome();
  const facts = new Map<string, Promise<Record<string, unknown>>>();
  documentOf = async (version, dates) => {
    const name = `${version} ${dates.join()}`;
    if (!facts.has(name)) facts.set(name, readAll(version, dates));
    return toJson({ ...(await facts.get(name)), silver_version: version });
  };
});
afterAll(() => home.close());
beforeEach(() => home.empty());

async function readAll(version: number, dates: readonly string[]) {
  const table = (await writeSilver(home.dir, version, ordersAt(version, dates)))();
  const facts = await readDayFacts(home.lake, { sql, table, windows: dates });
  const customers = await readFacts(home.lake, { sql: sql.customerDays, table, windows: dates });
  return { windows: datesOf(ordersAt(version, dates)), ...facts, customer_days: customers };
}

const publish = (document: string) => callPublish(home.writer, "ops.publish_windows", document);
const publishCustomers = (document: string) => callPublish(home.writer, "ops.publish_customers", document);

async function hashAfter(work: () => Promise<unknown>): Promise<string> {
  await home.empty();
  await work();
  return (await goldHash(home.reader)).hash;
}

test("whoever is slow, the newest version of a day stands in the end", async () => {
  const versions = Array.from({ length: writers }, (_, index) => index + 1);
  const documents = await Promise.all(versions.map((version) => documentOf(version, days)));
  const serial = await hashAfter(() => publish(documents.at(-1)!));
  for (let race = 0; race < races; race++) {
    const order = documents.toSorted((a, b) => ((a.length * (race + 7)) % 11) - ((b.length * (race + 7)) % 11));
    expect(await hashAfter(() => Promise.all(order.map(publish))), `race ${race}`).toBe(serial);
  }
});

test("two days of one month published at once are both in the month", async () => {
  const all = await Promise.all([1, 2, 3].flatMap((version) => days.map((day) => documentOf(version, [day]))));
  const serial = await hashAfter(async () => {
    for (const document of all) await publish(document);
  });
  for (let race = 0; race < races; race++) {
    const order = all.map((_, index) => all[(index * 5 + race) % all.length]!);
    expect(await hashAfter(() => Promise.all(order.map(publish))), `race ${race}`).toBe(serial);
  }
});

test("days, reports and rows per customer at once neither lose anything nor wait for each other in a circle", async () => {
  const all = await Promise.all([1, 2].flatMap((version) => days.map((day) => documentOf(version, [day]))));
  const newest = all.slice(2);
  const segments = () => home.writer.query("select ops.publish_customer_segments(2)");
  const serial = await hashAfter(async () => {
    for (const document of newest) await publish(document);
    for (const document of newest) await publishCustomers(document);
    await segments();
  });
  for (let race = 0; race < races; race++) {
    const raced = await hashAfter(async () => {
      const report = () => home.writer.query("select ops.report_windows('2015-04-02')");
      await Promise.all([...all.map(publish), report(), ...all.map(publishCustomers), segments(), report()]);
      for (const document of newest) await publishCustomers(document);
      await segments();
    });
    expect(raced, `race ${race}`).toBe(serial);
  }
});

test("a transaction with an older view of the data is refused", async () => {
  const document = (await documentOf(1, days)).replaceAll("'", "''");
  await expect(
    home.writer.query(
      `begin isolation level repeatable read; select * from ops.publish_windows('${document}'); commit`,
    ),
  ).rejects.toThrow(/publish at read committed/);
});
