import { afterAll, beforeAll, expect, it } from "vitest";
import { openDuckDbLake } from "../../../adapters/duckdb.ts";
import { loadQualitySql } from "../../../adapters/project-files.ts";

const hourMs = 3_600_000;
/** A Friday evening in New York. */
const now = Date.parse("2026-11-27T23:30:00Z");

interface Sales {
  store: string;
  till?: string;
  /** Hours before now, in which `orders` were sold. */
  hoursAgo: number;
  orders?: number;
}

let lake: Awaited<ReturnType<typeof openDuckDbLake>>;
beforeAll(async () => void (lake = await openDuckDbLake({ root: "/tmp" })));
afterAll(() => lake.close());

/** Evaluates the rule's SQL on these sales. */
async function silent(sales: readonly Sales[]): Promise<string[]> {
  const values = sales.flatMap(({ store, till = `till-${store}`, hoursAgo, orders = 6 }) => {
    const at = new Date(now - hoursAgo * hourMs).toISOString();
    return Array.from({ length: orders }, () => `('${store}', '${till}', timestamptz '${at}', true)`);
  });
  const lines = `silver_order_lines (store_id, producer_id, ordered_at, is_first_of_order) as (values ${values.join()})`;
  const sql = loadQualitySql().get("quality/silent-tills")!.replace("with asked", `with ${lines}, asked`);
  const rows = await lake.query(sql, [10, new Date(now).toISOString()], []);
  return rows.map(({ example }) => String(example)).toSorted();
}

const weeks = (hours: number[], sales: Omit<Sales, "hoursAgo">, of = [1, 2, 3, 4]): Sales[] =>
  of.flatMap((week) => hours.map((hour) => ({ ...sales, hoursAgo: week * 168 + hour })));

const evening = [0.5, 1.5, 2.5];
const chain = ["nyc-01", "chi-01", "lax-01"];
const habit = chain.flatMap((store) => weeks(evening, { store }));
const today = (stores: string[]) => stores.flatMap((store) => evening.map((hoursAgo) => ({ store, hoursAgo })));

it("names a store that sells nothing when it usually does", async () => {
  const earlier = { store: "lax-01", hoursAgo: 5.5 };
  expect(await silent([...habit, ...today(["nyc-01", "chi-01"]), earlier])).toEqual([
    "store lax-01: no order for 5 hours, in which about 18 are usual",
  ]);
});

it("names a till of a store that sells", async () => {
  const second = weeks(evening, { store: "nyc-01", till: "till-2" });
  expect(await silent([...habit, ...second, ...today(chain)])).toEqual([
    "till till-2: no order for 168 hours, in which about 18 are usual",
  ]);
});

it("is green while every store sells, and for one that never sells at this hour", async () => {
  expect(await silent([...habit, ...today(chain)])).toEqual([]);
  const lunch = weeks([9.5, 10.5], { store: "sea-01" });
  expect(await silent([...habit, ...lunch, ...today(chain), { store: "sea-01", hoursAgo: 9 }])).toEqual([]);
});

it("is green on a day on which the chain is closed, and the morning after", async () => {
  const yesterday = chain.flatMap((store) => weeks([20.5, 21.5, 22.5], { store }));
  const before = chain.map((store) => ({ store, hoursAgo: 40 }));
  expect(await silent([...habit, ...yesterday, ...before])).toEqual([]);
  expect(await silent([...habit, ...yesterday, ...before, ...today(["nyc-01", "chi-01", "lax-01"])])).toEqual([]);
});

it("is green when few orders trickle in after a demonstration that has ended", async () => {
  const trickle = evening.map((hoursAgo) => ({ store: "nyc-01", hoursAgo, orders: 2 }));
  expect(await silent([...habit, ...trickle])).toEqual([]);
});

it("is green without a habit: in a new chain, and after fewer than three such weeks", async () => {
  const twice = chain.flatMap((store) => weeks(evening, { store, orders: 12 }, [1, 2]));
  expect(await silent([...twice, ...today(["nyc-01", "chi-01"])])).toEqual([]);
  expect(await silent(today(["nyc-01"]))).toEqual([]);
});

it("takes no replay or import for a habit, nor for a sale", async () => {
  const replayed = habit.map((sales) => ({ ...sales, till: `replay:till-${sales.store}` }));
  expect(await silent([...replayed, ...today(["nyc-01", "chi-01"])])).toEqual([]);
  const late = { store: "lax-01", till: "import:x", hoursAgo: 0.5 };
  expect(await silent([...habit, ...today(["nyc-01", "chi-01"]), late])).toHaveLength(1);
});

it("is green for a store with too few orders to tell", async () => {
  const small = weeks(evening, { store: "sea-01", orders: 3 });
  expect(await silent([...habit, ...small, ...today(chain)])).toEqual([]);
});
