import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPostgresWarehouse } from "../../../adapters/postgres-warehouse.ts";
import { openGoldPipeline, type GoldPipeline } from "../gold/gold-fixture.ts";
import { sellMessily } from "../quality/messy-day.ts";
import { openReceiptPipeline, type ReceiptPipeline } from "./receipt-fixture.ts";

let gold: GoldPipeline;
let pipeline: ReceiptPipeline;
/** One connection, so that a transaction spans many calls. */
let owner: ReturnType<typeof openPostgresWarehouse>;
beforeAll(async () => {
  gold = await openGoldPipeline();
  owner = openPostgresWarehouse({ connectionString: gold.postgres.connectionString("owner"), max: 1 });
  pipeline = await openReceiptPipeline(gold);
  await sellMessily(pipeline);
});
afterAll(async () => {
  await pipeline.close();
  await owner.close();
  await gold.close();
});

/** Runs the damaging SQL in a transaction, calls `look` within it, and rolls back. */
async function whileDamaged<Result>(damage: string, look: () => Promise<Result>): Promise<Result> {
  await owner.query(`begin; ${damage}`);
  try {
    return await look();
  } finally {
    await owner.query("rollback");
  }
}

async function found(): Promise<string[]> {
  const { findings } = await pipeline.verify({ warehouse: owner });
  return findings.flatMap(({ invariant, sentence, examples }) =>
    examples.map((example) => `${invariant}: ${sentence}: ${example}`),
  );
}

const tables = [
  "daily_sales_summary",
  "hourly_trends",
  "monthly_sales_summary",
  "pizza_performance",
  "pizza_type_performance",
  "category_performance",
  "size_performance",
  "revenue_analytics",
  "geographic_sales",
  "customer_segments",
];

it("verify finds nothing in an undamaged pipeline", async () => {
  expect(await found()).toEqual([]);
});

describe.each(tables)("verify detects in gold.%s", (table) => {
  it("a changed cell in any column", async () => {
    const columns = await owner.query<{ name: string; type: string; is_key: boolean }>(
      `select attname as name, format_type(atttypid, null) as type, attname = any (ops.key_columns(attrelid)) as is_key
       from pg_attribute where attrelid = $1::regclass and attnum > 0
         and attname not in ('silver_version', 'published_at')`,
      [`gold.${table}`],
    );
    for (const { name, type } of columns.filter(({ is_key }) => !is_key)) {
      const changed =
        type === "text"
          ? `${name} || 'x'`
          : type.startsWith("timestamp")
            ? `${name} + interval '1 s'`
            : type === "date"
              ? `${name} + 1`
              : `coalesce(${name}, 0) + 1`;
      const damage = `update gold.${table} set ${name} = ${changed} where ctid = (select min(ctid) from gold.${table})`;
      const offenders = await whileDamaged(damage, () => owner.query("select * from ops.gold_offenders()"));
      expect([name, offenders]).toEqual([
        name,
        [{ table_name: `gold.${table}`, example: expect.stringMatching(`: ${name} is .+ for .+`) }],
      ]);
    }
  });

  it("a missing row", async () => {
    const damage = `delete from gold.${table} where ctid = (select min(ctid) from gold.${table})`;
    const offenders = await whileDamaged(damage, () => owner.query("select * from ops.gold_offenders()"));
    expect(offenders).toEqual([
      { table_name: `gold.${table}`, example: expect.stringMatching(/: the row is missing$/) },
    ]);
  });
});

it("the receipt names every damaged gold table", async () => {
  const findings = await whileDamaged(tables.map((table) => `delete from gold.${table}`).join("; "), found);
  for (const table of tables) {
    const line = new RegExp(
      `^gold adds up: \\d+ rows of gold.${table} differ from the daily facts: .*: the row is missing$`,
    );
    expect(findings).toContainEqual(expect.stringMatching(line));
  }
});

it("verify detects a gold row without any facts", async () => {
  const damage = `insert into gold.hourly_trends
    select (jsonb_populate_record(row_of, '{"hour": 3}')).* from gold.hourly_trends as row_of limit 1`;
  expect(await whileDamaged(damage, found)).toEqual([
    expect.stringMatching(/^gold adds up: 1 rows of gold.hourly_trends .*: the row should not be there$/),
  ]);
});

describe("verify detects in the facts behind gold", () => {
  it("a changed cell, even if gold and the ledger's hash were changed to match", async () => {
    const day = "2015-01-01";
    const damage = `update facts.day_stores set orders = orders + 1 where order_date = '${day}';
      select ops.refresh_gold(array[date '${day}'], 99);
      update ops.windows set content_hash = ops.hash_of_day(order_date) where order_date = '${day}'`;
    expect((await whileDamaged(damage, found)).toSorted()).toEqual([
      expect.stringMatching(`^gold = silver: 1 rows of facts.day_stores differ from silver: .*${day}: orders is`),
      expect.stringMatching("^the star adds up: 1 rows of gold.revenue_analytics differ from the sums of the star"),
    ]);
  });

  it.each([
    ["day_totals", "customers = customers + 1", "customers is 2 for 1"],
    ["day_items", "type_orders = type_orders - 1", "type_orders is"],
    ["day_stores", "cost_cents = cost_cents + 1", "cost_cents is"],
    ["customer_days", "last_ordered_at = last_ordered_at - interval '1 s'", "last_ordered_at is"],
  ])("a changed cell of %s, even if gold was regenerated from it", async (table, change, message) => {
    const day = "2015-01-01";
    const refresh = `select ops.refresh_gold(array[date '${day}'], 99), ops.refresh_customer_segments(null, null, 99)`;
    const findings = await whileDamaged(
      `update facts.${table} set ${change} where order_date = '${day}'; ${refresh}`,
      found,
    );
    expect(findings).toContainEqual(
      expect.stringMatching(`^gold = silver: \\d+ rows of facts.${table} differ from silver: .*${day}.*${message}`),
    );
  });

  it.each([
    [
      "sales_items",
      "revenue = revenue + 1",
      "gold.daily_sales_summary",
      "gold.revenue_analytics",
      "gold.pizza_performance",
    ],
    ["sales_hours", "order_lines = order_lines + 1", "gold.daily_sales_summary", "gold.monthly_sales_summary"],
    ["sales_items", "cost = cost + 1", "gold.daily_sales_summary", "gold.revenue_analytics", "gold.pizza_performance"],
    ["sales_hours", "orders = orders + 1", "gold.revenue_analytics", "gold.monthly_sales_summary"],
  ])("a changed cell of gold.%s: %s, also by the reported tables", async (table, change, ...reported) => {
    const damage = `update gold.${table} set ${change}
      where ctid = (select min(ctid) from gold.${table} where order_date = '2015-01-01')`;
    const findings = await whileDamaged(damage, found);
    const one = `^gold = silver: 1 rows of gold.${table} differ from silver: 2015-01-01.*: ${change.split(" ")[0]} is`;
    expect(findings).toContainEqual(expect.stringMatching(one));
    for (const name of reported) {
      const line = `^the star adds up: 1 rows of ${name} differ from the sums of the star: .* in gold.${table}$`;
      expect(findings).toContainEqual(expect.stringMatching(line));
    }
  });

  it("rows of the star that are missing or invented, without any other change", async () => {
    const invented = `insert into gold.sales_items select (jsonb_populate_record(row_of, '{"pizza_id": "none_s"}')).*
      from gold.sales_items as row_of where order_date = '2015-01-01' limit 1`;
    expect(await whileDamaged(invented, found)).toContainEqual(
      expect.stringMatching(/rows of gold.sales_items differ from silver: .*none_s: the row should not be there$/),
    );
    const lost = await whileDamaged("delete from gold.sales_hours where order_date = '2015-01-01'", found);
    expect(lost).toContainEqual(
      expect.stringMatching(/rows of gold.sales_hours differ from silver: 2015-01-01.*: the row is missing$/),
    );
    expect(lost).toContainEqual(
      "the star adds up: 1 rows of gold.daily_sales_summary differ from the sums of the star: " +
        "2015-01-01: the row has sales that gold.sales_hours does not have",
    );
  });

  it("nothing in a day that is due, whose facts the next run publishes", async () => {
    const damage = `update ops.windows set is_due = true where order_date = '2015-01-01';
      delete from gold.sales_items where order_date = '2015-01-01'`;
    expect(await whileDamaged(damage, found)).toEqual([]);
  });

  it("a missing day", async () => {
    const days = ["day_totals", "day_items", "day_stores", "customer_days"];
    const damage = days.map((table) => `delete from facts.${table} where order_date = '2015-01-02'`).join("; ");
    const findings = await whileDamaged(damage, found);
    for (const table of days) {
      const line = `rows of facts.${table} differ from silver: .*2015-01-02.*: the row is missing`;
      expect(findings).toContainEqual(expect.stringMatching(line));
    }
  });

  it("a changed month", async () => {
    const damage = `update facts.month_items set orders = orders + 1;
      update facts.month_customers set customers = customers + 1;
      update facts.month_city_customers set customers = customers + 1`;
    const findings = await whileDamaged(damage, found);
    for (const table of ["month_items", "month_customers", "month_city_customers"]) {
      const line = `rows of facts.${table} differ from the daily facts: 2015-0.-01.* is`;
      expect(findings).toContainEqual(expect.stringMatching(line));
    }
  });
});

describe("verify detects in the ledger of days", () => {
  it.each([
    ["order_lines", "order_lines + 1", "order_lines is"],
    ["revenue_cents", "revenue_cents - 1", "revenue_cents is"],
    ["content_hash", "md5('other')", "content_hash is"],
  ])("a changed %s", async (column, value, message) => {
    const damage = `update ops.windows set ${column} = ${value} where order_date = '2015-01-02'`;
    expect(await whileDamaged(damage, found)).toEqual([
      expect.stringMatching(
        `^gold adds up: 1 rows of ops.windows differ from the daily facts: 2015-01-02: ${message} .+ for .+$`,
      ),
    ]);
  });

  it("a missing row of a day with sales", async () => {
    const damage = "delete from ops.windows where order_date = '2015-01-02'";
    expect(await whileDamaged(damage, found)).toEqual([
      "gold adds up: 1 rows of ops.windows differ from the daily facts: 2015-01-02: the row is missing",
    ]);
  });

  it("a silver version that does not exist yet", async () => {
    const findings = await whileDamaged(
      "update ops.windows set silver_version = 99 where order_date = '2015-01-02'",
      found,
    );
    expect(findings).toEqual(["gold = silver: 1 days show a later version of silver than 1: 2015-01-02: 99"]);
  });

  const facts = ["day_totals", "day_items", "day_stores", "customer_days"].map((table) => `facts.${table}`);
  facts.push("gold.sales_items", "gold.sales_hours");
  const forget = (places: string[]) =>
    places.map((place) => `delete from ${place} where order_date = '2015-01-02'`).join("; ");

  it("a missing row of a day with facts: the day is unpublished, and the row is reported missing", async () => {
    const damage = forget(["ops.windows", "gold.daily_sales_summary"]);
    const receipt = await whileDamaged(damage, () => pipeline.verify({ warehouse: owner }));
    expect(receipt.unpublishedDays).toEqual(["2015-01-02"]);
    const lines = receipt.findings.map(({ sentence, examples }) => `${sentence}: ${examples.join()}`).toSorted();
    expect(lines).toEqual([
      "1 rows of gold.daily_sales_summary differ from the daily facts: 2015-01-02: the row is missing",
      "1 rows of ops.windows differ from the daily facts: 2015-01-02: the row is missing",
      "2 rows of gold.daily_sales_summary differ from the sums of the star: " +
        "2015-01-02: the row is missing, but gold.sales_hours has sales," +
        "2015-01-02: the row is missing, but gold.sales_items has sales",
    ]);
  });

  it("a day that only the monthly facts contain: the day is unpublished, and the month is reported", async () => {
    const damage = `${forget(["ops.windows", ...facts])};
      select ops.refresh_gold(array[date '2015-01-02'], 99), ops.refresh_customer_segments(null, null, 99),
        ops.refresh_calendar(array[date '2015-01-02'], 99)`;
    const receipt = await whileDamaged(damage, () => pipeline.verify({ warehouse: owner }));
    expect(receipt).toMatchObject({ unpublishedDays: ["2015-01-02"], gold: { orders: 4 } });
    for (const { sentence } of receipt.findings) expect(sentence).toMatch(/ rows of facts.month_\w+ differ from/);
  });
});

describe("verify names a table of gold that is not as it was defined", () => {
  const key = "alter table gold.size_performance add primary key (month, size)";
  it.each([
    [
      "is missing",
      "alter table gold.size_performance rename to size_performance_old",
      "alter table gold.size_performance_old rename to size_performance",
      "gold.size_performance and its definition: the table is missing",
    ],
    [
      "is in another schema",
      "alter table gold.size_performance set schema facts",
      "alter table facts.size_performance set schema gold",
      "gold.size_performance and its definition: the table is missing",
    ],
    [
      "has lost its primary key",
      "alter table gold.size_performance drop constraint size_performance_pkey",
      key,
      "gold.size_performance and its definition: the primary key (month, size) is missing",
    ],
    [
      "has another primary key",
      `alter table gold.size_performance drop constraint size_performance_pkey, add primary key (size, month)`,
      `alter table gold.size_performance drop constraint size_performance_pkey; ${key}`,
      "gold.size_performance and its definition: the primary key (month, size) is missing",
    ],
    [
      "has lost a column",
      "alter table gold.size_performance rename orders to number_of_orders",
      "alter table gold.size_performance rename number_of_orders to orders",
      "gold.size_performance and its definition: the column orders is missing",
    ],
    [
      "has lost the column with its version",
      "alter table gold.size_performance rename silver_version to version",
      "alter table gold.size_performance rename version to silver_version",
      "gold.size_performance and its definition: the column silver_version is missing",
    ],
    [
      "has a column of another type",
      "alter table gold.size_performance alter orders type bigint",
      "alter table gold.size_performance alter orders type integer",
      "gold.size_performance and its definition: the column orders is bigint for integer",
    ],
    [
      "is what the totals are read from, and is missing",
      "alter table gold.daily_sales_summary rename to daily",
      "alter table gold.daily rename to daily_sales_summary",
      "gold.daily_sales_summary and its definition: the table is missing",
    ],
    [
      "cannot be compared, because a table of the facts is missing",
      "alter table facts.day_stores rename to stores",
      "alter table facts.stores rename to day_stores",
      'relation "facts.day_stores" does not exist',
    ],
  ])("that %s", async (_, damage, mend, sentence) => {
    await owner.query(damage);
    try {
      // Each query is a separate transaction, as in a pipeline, so a failed one does not abort the others.
      const { findings } = await pipeline.verify({ warehouse: gold.reader });
      const shown = findings.flatMap(({ sentence: problem, examples }) => examples.map((one) => `${problem}: ${one}`));
      expect(shown.join("\n")).toContain(sentence);
    } finally {
      await owner.query(mend);
    }
  });

  it("and any other error of the database is still an error", async () => {
    const warehouse = { query: async () => Promise.reject(new Error("connection lost")) };
    await expect(pipeline.verify({ warehouse })).rejects.toThrow("connection lost");
  });
});
