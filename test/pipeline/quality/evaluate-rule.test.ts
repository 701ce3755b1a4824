import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPostgresWarehouse } from "../../../adapters/postgres-warehouse.ts";
import { qualityRules } from "../../../pipeline/domain/quality-rules.ts";
import { silverColumns, type Column } from "../../../pipeline/silver/columns.ts";
import { openGoldPipeline, type GoldPipeline } from "../gold/gold-fixture.ts";
import type { Cells } from "../silver/change-day.ts";
import { lastWednesday, openQualityPipeline, type QualityPipeline } from "./quality-fixture.ts";

const hour = 3_600_000;

let gold: GoldPipeline;
let pipeline: QualityPipeline;
/** One connection, so that a transaction spans many calls. */
let owner: ReturnType<typeof openPostgresWarehouse>;
/** The rules that a test turned red alone. */
const planted = new Set<string>();

beforeAll(async () => {
  gold = await openGoldPipeline();
  owner = openPostgresWarehouse({ connectionString: gold.postgres.connectionString("owner"), max: 1 });
  pipeline = await openQualityPipeline(gold);
  await pipeline.sellWednesdays(() => 60);
});

afterAll(async () => {
  await pipeline.close();
  await owner.close();
  await gold.close();
});

/** Expects that exactly this rule is red, with these examples. */
async function expectRed(rule: string, examples: unknown, warehouse?: QualityPipeline["owner"]): Promise<void> {
  expect(await pipeline.red(warehouse)).toEqual({ [rule]: examples });
  planted.add(rule);
}

type Rows = Cells[];

/** Changes the second line of the day's first order. */
const second = (change: (cells: Cells) => Partial<Cells>) => (rows: Rows) =>
  rows.map((cells) => (isSecond(cells) ? { ...cells, ...change(cells) } : cells));

const isSecond = ({ order_id, line_no }: Cells) => order_id === `${lastWednesday}/0` && Number(line_no) === 2;
const line = `${lastWednesday}/0 line 2`;

/** Changes the day's first order. */
const whole = (change: (cells: Cells) => Partial<Cells>) => (rows: Rows) =>
  rows.map((cells) => (cells["order_id"] === `${lastWednesday}/0` ? { ...cells, ...change(cells) } : cells));
const dayMicros = 86_400_000_000;

/** Faults in silver; gold is published from it, so that no other rule can see them. */
const silverFaults: [rule: string, example: string, change: (rows: Rows) => Rows][] = [
  ["required_values", `${line}: no pizza_name`, second(() => ({ pizza_name: "" }))],
  [
    "lines_once",
    `an order line exists twice: 2015-03-04 nyc-01 ${line}`,
    (rows) => [
      ...rows,
      ...rows.filter(isSecond).map((cells) => ({
        ...cells,
        is_first_of_order: false,
        is_first_of_pizza: false,
        is_first_of_type: false,
        is_first_of_category: false,
        is_first_of_size: false,
      })),
    ],
  ],
  [
    "valid_values",
    `${line}: quantity`,
    second(() => ({ quantity: 0, revenue_cents: 0, cost_cents: 0, margin_cents: 0 })),
  ],
  [
    "valid_times",
    `${lastWednesday}/0: ordered after it arrived`,
    second(({ ordered_at }) => ({ arrived_at: (ordered_at as number) - 600_000_000 })),
  ],
  [
    "till_offsets",
    "replay:till-1: 1 orders of nyc-01 with an offset of 0 minutes",
    whole(() => ({ till_offset_minutes: 0 })),
  ],
  [
    "till_clocks",
    "till-1: 1 events sent more than two days from their arrival, 0 orders more than a year from its others",
    whole(({ arrived_at }) => ({ producer_id: "till-1", emitted_at: Number(arrived_at) - 3 * dayMicros })),
  ],
  [
    "line_amounts",
    `${line}: revenue 2551, cost 820, margin 1731 cents of 2 at 1275, costing 410`,
    second(() => ({ revenue_cents: 2551, margin_cents: 1731 })),
  ],
  ["order_lines_agree", `${lastWednesday} nyc-01 ${lastWednesday}/0: channel`, second(() => ({ channel: "online" }))],
  [
    "menu_prices",
    `${line}: bbq_ckn_s at 1276 cents, costing 410; on the menu 1275, 410`,
    second(() => ({ unit_price_cents: 1276, revenue_cents: 2552, margin_cents: 1732 })),
  ],
];

describe("a fault of each kind turns exactly its rule red", () => {
  it("no rule is red without a fault", async () => {
    expect(await pipeline.red()).toEqual({});
  });

  it.each(silverFaults)("%s", async (rule, example, change) => {
    const restore = await pipeline.changeDay(lastWednesday, change);
    await expectRed(rule, [example]);
    await restore();
    expect(await pipeline.red()).toEqual({});
  });

  it("till_clocks, also for an order that is more than a year from its till's other orders", async () => {
    const restore = await pipeline.changeDay(lastWednesday, (rows) =>
      rows.map((cells) => ({
        ...cells,
        producer_id: "till-1",
        emitted_at: cells["arrived_at"]!,
        ...(cells["order_id"] === `${lastWednesday}/0` && {
          ordered_at: Number(cells["ordered_at"]) - 400 * dayMicros,
        }),
      })),
    );
    expect((await pipeline.red())["till_clocks"]).toEqual([
      "till-1: 0 events sent more than two days from their arrival, 1 orders more than a year from its others",
    ]);
    await restore();
  });

  it.each(["replay:till-1", "import:till-1"])("till_clocks, but not for %s, which sends history", async (name) => {
    const restore = await pipeline.changeDay(
      lastWednesday,
      whole(({ arrived_at }) => ({ producer_id: name, emitted_at: Number(arrived_at) - 900 * dayMicros })),
    );
    expect(await pipeline.red()).toEqual({});
    await restore();
  });

  it("menu_prices, also for an order line whose pizza is not on the menu", async () => {
    const restore = await pipeline.changeDay(
      lastWednesday,
      second(() => ({ pizza_id: "secret_s" })),
    );
    expect(await pipeline.red()).toEqual({ menu_prices: [`${line}: secret_s is not on the menu of ${lastWednesday}`] });
    await restore();
  });

  it("customers_known, when a till's update stops sending them", async () => {
    const nameless = (revision: number, customer?: object) =>
      pipeline.ordersOf(lastWednesday, 60, { revision, status: "amended", customer });
    await pipeline.sell(nameless(1));
    await pipeline.work();
    await expectRed("customers_known", [`${lastWednesday}: 0 of 60 orders name a customer`]);
    await pipeline.sell(nameless(2, { customer_id: "c-1" }));
    await pipeline.work();
    expect(await pipeline.red()).toEqual({});
  });

  it("weekday_volume, when there are more than three times, or less than a third of, the orders", async () => {
    await pipeline.sell(pipeline.ordersOf(lastWednesday, 130, {}, 60));
    await pipeline.work();
    await expectRed("weekday_volume", [`${lastWednesday}: 190 orders; 240 on 4 such weekdays before`]);
    await pipeline.sell(pipeline.ordersOf(lastWednesday, 180, { revision: 3, status: "cancelled" }, 10));
    await pipeline.work();
    await expectRed("weekday_volume", [`${lastWednesday}: 10 orders; 240 on 4 such weekdays before`]);
    await pipeline.sell(pipeline.ordersOf(lastWednesday, 50, { revision: 4, status: "amended" }, 10));
    await pipeline.work();
    expect(await pipeline.red()).toEqual({});
  });

  it("gold_is_silver, when silver is changed without publishing gold", async () => {
    const restore = await pipeline.changeDaySecretly(
      lastWednesday,
      second(() => ({ quantity: 3, revenue_cents: 3825, cost_cents: 1230, margin_cents: 2595 })),
    );
    await expectRed("gold_is_silver", expect.arrayContaining([expect.stringContaining(`${lastWednesday}: 60 orders`)]));
    await restore();
    expect(await pipeline.red()).toEqual({});
  });

  it("gold_adds_up, even if the facts match silver", async () => {
    await owner.query(
      "begin; update gold.monthly_sales_summary set revenue = revenue + 0.01 where month = '2015-02-01'",
    );
    try {
      await expectRed("gold_adds_up", [expect.stringMatching(/^2015-02-01: revenue is .* for /)], owner);
    } finally {
      await owner.query("rollback");
    }
  });

  it("producer_gaps, until the missing event arrives", async () => {
    const [late, ...others] = pipeline.ordersOf("2015-02-25", 3, {}, 100);
    await pipeline.sell(others);
    await pipeline.work();
    await expectRed("producer_gaps", [expect.stringMatching(/^replay:till-1: \d+$/)]);
    await pipeline.sell([late!]);
    await pipeline.work();
    expect(await pipeline.red()).toEqual({});
  });

  it("gold_follows_silver, when a change is unpublished for an hour; then orders_in_time, for a day", async () => {
    const emitted_at = new Date(pipeline.time.now).toISOString();
    await pipeline.sell(pipeline.ordersOf("2015-03-05", 1, { emitted_at }, 1));
    await pipeline.refine();
    pipeline.time.now += 59 * 60_000;
    expect(await pipeline.red()).toEqual({});
    pipeline.time.now += hour;
    await expectRed("gold_follows_silver", ["2015-03-05: last changed on 2015-03-06"]);
    await pipeline.publishGold();
    await expectRed("orders_in_time", [
      expect.stringMatching(/^2015-03-06T19:59:00Z: 1 orders, 95 % of them within \d+ s$/),
    ]);
    pipeline.time.now += 25 * hour;
    expect(await pipeline.red()).toEqual({});
  });

  it("first_events, three days after a revision whose first event never came, until it comes", async () => {
    await pipeline.sell(pipeline.ordersOf("2015-02-25", 1, { revision: 1, status: "amended" }, 200));
    await pipeline.work();
    for (const [wait, n] of [
      [72 * hour - 1, 201],
      [1, 202],
    ] as const) {
      expect(await pipeline.red()).not.toHaveProperty("first_events");
      pipeline.time.now += wait;
      await pipeline.sell(pipeline.ordersOf("2015-02-25", 1, {}, n));
      await pipeline.work();
    }
    await expectRed("first_events", ["2015-02-25 nyc-01 2015-02-25/200 revision 1"]);
    await pipeline.sell(pipeline.ordersOf("2015-02-25", 1, {}, 200));
    await pipeline.work();
    expect(await pipeline.red()).toEqual({});
  });

  it("silent_tills, when one of two stores sells nothing", async () => {
    const { now } = pipeline.time;
    const seqs = new Map<string, number>();
    const sold = (store_id: string, hoursAgo: number) =>
      Array.from({ length: 12 }, (_, n) => {
        const producer_id = `live-${store_id}`;
        const seq = (seqs.get(producer_id) ?? 0) + 1;
        seqs.set(producer_id, seq);
        const ordered_at = new Date(now - hoursAgo * hour).toISOString();
        const producer = { producer_id, seq };
        const emitted_at = new Date(now).toISOString();
        return pipeline.next(`silent/${hoursAgo}/${n}`, { store_id, ordered_at, emitted_at, producer });
      });
    const weeks = [4, 3, 2, 1].map((week) => week * 168 + 2);
    await pipeline.sell(weeks.flatMap((hoursAgo) => [...sold("nyc-01", hoursAgo), ...sold("chi-01", hoursAgo)]));
    await pipeline.sell(sold("chi-01", 2));
    await pipeline.work();
    const red = await pipeline.red();
    expect(red["silent_tills"]).toEqual(["store nyc-01: no order for 170 hours, in which about 12 are usual"]);
    planted.add("silent_tills");
  });

  it("and every rule has such a fault", () => {
    expect([...planted].toSorted()).toEqual(qualityRules.map(({ name }) => name).toSorted());
  });
});

describe("the rules", () => {
  it("check every required column of silver", () => {
    const sql = readFileSync("sql/checks/quality/required-values.sql", "utf8");
    const missing = (silverColumns as readonly Column[]).filter(
      ({ name, nullable }) => !nullable && !sql.includes(`when ${name} is null`),
    );
    expect(missing).toEqual([]);
  });

  it("state their limit in the sentence, and what to do", () => {
    const mute = qualityRules.filter(
      ({ limit, sentence, next }) => next.length < 20 || !sentence.includes(String(limit ?? "")),
    );
    expect(mute).toEqual([]);
  });

  it("are in the documentation, each with its severity", () => {
    const text = readFileSync("docs/quality.md", "utf8");
    const table = [...text.matchAll(/^\| `(\w+)` \| (.*) \|$/gm)].map(([, name, about]) => ({
      name,
      severity: about!.endsWith("; warning") ? "warning" : "error",
    }));
    expect(table).toEqual(qualityRules.map(({ name, severity }) => ({ name, severity })));
  });
});
