import { beforeEach, describe, expect, it } from "vitest";
import { backupId, goldHash } from "../../../pipeline/backup/manifest.ts";
import { createCatalog, type Catalog, type Pizza } from "../../../pipeline/domain/catalog.ts";
import type { GoldPipeline } from "../gold/gold-fixture.ts";
import { catalog, order } from "../../support/order-fixture.ts";
import type { ReceiptPipeline } from "../reconciliation/receipt-fixture.ts";
import { openForEachTest } from "../reconciliation/receipt-hooks.ts";

let gold: GoldPipeline;
let pipeline: ReceiptPipeline;
openForEachTest((opened) => ({ gold, pipeline } = opened));
beforeEach(async () => {
  await pipeline.land(await pipeline.send([sale(1, "2015-01-30"), sale(2, "2015-01-31")]));
  await pipeline.work();
  await pipeline.land(
    await pipeline.send([
      sale(3, "2015-01-31"),
      sale(4, "2015-02-01", "bbq_ckn_s"),
      { ...sale(5, "2015-02-01"), lines: 7 },
    ]),
  );
  await pipeline.work();
});

const prices: Record<string, number> = { hawaiian_m: 13.25, bbq_ckn_s: 12.75 };

function sale(seq: number, day: string, pizza_id = "hawaiian_m") {
  return order({
    order_id: `order-${seq}`,
    ordered_at: `${day}T12:00:00-05:00`,
    customer: { customer_id: `c-${seq}` },
    lines: [{ line_no: 1, pizza_id, quantity: 2, unit_price: prices[pizza_id] }],
    producer: { producer_id: "till-1", seq },
  });
}

/** Returns the menu with changed values for one pizza. */
function menuWith(id: string, changes: Partial<Pizza>): Catalog {
  const pizzas = [...catalog.pizzas.values()].flat();
  return createCatalog(
    pizzas.map((pizza) => (pizza.pizza_id === id ? { ...pizza, ...changes } : pizza)),
    [...catalog.stores.values()].flat(),
  );
}

const hash = async () => (await goldHash(gold.writer)).hash;
const silverVersion = async () => (await pipeline.silver.snapshot()).version;
const leftovers = async () => await pipeline.store.list("silver/rebuild/");
const balanced = async () => expect((await pipeline.verify()).findings).toEqual([]);

describe("correct published data", () => {
  it.each(["bronze", "silver"] as const)("is equal to a rebuild from %s, and nothing changes", async (source) => {
    const [before, version] = [await hash(), await silverVersion()];
    const ledger = await pipeline.owner.query("select * from ops.windows order by order_date");
    const report = await pipeline.rebuild({ source });
    expect(report).toMatchObject({ equal: true, published: false, differences: [], days: 3, silverVersion: version });
    expect(report.bronzeObjects).toBe(source === "bronze" ? 2 : 0);
    expect([await hash(), await silverVersion()]).toEqual([before, version]);
    expect(await pipeline.owner.query("select * from ops.windows order by order_date")).toEqual(ledger);
    expect(await leftovers()).toEqual([]);
  });

  it("is equal after compactions, revisions, redeliveries and two conflicting events", async () => {
    const contrary = { ...sale(1, "2015-01-30"), channel: "delivery", producer: { producer_id: "till-1", seq: 6 } };
    const amended = { ...sale(2, "2015-01-31", "bbq_ckn_s"), revision: 1, status: "amended" };
    await pipeline.land(
      await pipeline.send([
        contrary,
        { ...amended, producer: { producer_id: "till-1", seq: 7 } },
        sale(3, "2015-01-31"),
      ]),
    );
    await pipeline.work();
    expect(await pipeline.rebuild()).toMatchObject({ equal: true });
  });

  it("keeps the conflicting event that silver accepted first, whatever the name of its object", async () => {
    const first = await pipeline.send([{ ...sale(9, "2015-02-03"), channel: "online" }]);
    const second = await pipeline.send([sale(9, "2015-02-03")]);
    await pipeline.land(second);
    await pipeline.refine();
    pipeline.time.now += 1000;
    await pipeline.land(first);
    await pipeline.work();
    expect(await pipeline.verify()).toMatchObject({ events: { quarantined: { conflicting_payload: 1 } } });
    expect(await pipeline.rebuild()).toMatchObject({ equal: true });
  });
});

describe("a pending bronze object", () => {
  it("is not part of a rebuild: the next refine run consumes it, once", async () => {
    await pipeline.land(await pipeline.send([sale(6, "2015-01-31")]));
    expect(await pipeline.rebuild()).toMatchObject({ equal: true, bronzeObjects: 2 });
    pipeline.replaceCatalog(menuWith("bbq_ckn_s", { cost_cents: 500 }));
    expect(await pipeline.rebuild()).toMatchObject({ published: true, bronzeObjects: 2 });
    expect((await pipeline.verify()).events).toMatchObject({ accepted: 4, pending: 1 });
    await pipeline.work();
    await balanced();
  });
});

describe("two concurrent rebuilds", () => {
  it("leave each other's files alone; the staging tables of a killed one are deleted after a day", async () => {
    const hourMs = 3_600_000;
    const keyOf = (hoursAgo: number) => `silver/rebuild/${backupId(pipeline.time.now - hoursAgo * hourMs)}/silver/part`;
    for (const hours of [1, 48]) await pipeline.store.put(keyOf(hours), Buffer.from("half"));
    await pipeline.rebuild({ isDryRun: true });
    expect((await leftovers()).map(({ key }) => key)).toEqual([keyOf(1)]);
  });
});

describe("a rebuild after a customer was forgotten", () => {
  it("is equal, even if another customer's event conflicts with one of theirs", async () => {
    pipeline.time.now += 1000;
    const contrary = { ...sale(1, "2015-01-30"), customer: { customer_id: "c-9" } };
    await pipeline.land(await pipeline.send([{ ...contrary, producer: { producer_id: "till-1", seq: 6 } }]));
    await pipeline.work();
    pipeline.time.now += 1000;
    await pipeline.forget("c-1");
    await balanced();
    expect(await pipeline.rebuild()).toMatchObject({ equal: true, published: false });
  });
});

describe("a rebuild after a forgotten customer's record landed again in its original form", () => {
  it("keeps the redacted copy, whatever the name of the other object", async () => {
    const [other, theirs] = await pipeline.send([sale(6, "2015-02-02")], [sale(7, "2015-02-02")]);
    await pipeline.land([theirs!]);
    await pipeline.work();
    pipeline.time.now += 1000;
    await pipeline.forget("c-7");
    pipeline.time.now += 1000;
    await pipeline.land([other!, theirs!]);
    await pipeline.work();
    expect(await pipeline.rebuild()).toMatchObject({ equal: true, published: false });
  });
});

describe("a rebuild while a customer is forgotten", () => {
  it("fails, so that it cannot bring the customer back from what it has read", async () => {
    let isFirst = true;
    const forgetMeanwhile = async <Result>(job: () => Promise<Result>) => {
      if (isFirst) await pipeline.forget("c-1");
      isFirst = false;
      return await job();
    };
    await expect(pipeline.rebuild({}, { exclusively: forgetMeanwhile })).rejects.toThrow(
      /bronze object .* was replaced or removed during the rebuild/,
    );
    expect(await leftovers()).toEqual([]);
    await balanced();
    expect(await pipeline.rebuild()).toMatchObject({ equal: true });
  });
});

describe("a difference", () => {
  it("is reported with its cause and repaired after manual changes of gold, a fact or a row by customer", async () => {
    const before = await hash();
    const edits = [
      [
        "update gold.daily_sales_summary set revenue = revenue + 1 where order_date = '2015-01-31'",
        "gold.daily_sales_summary",
        "revenue",
      ],
      [
        "update gold.monthly_sales_summary set pizzas = 7 where month = '2015-02-01'",
        "gold.monthly_sales_summary",
        "pizzas",
      ],
      ["delete from gold.hourly_trends where order_date = '2015-02-01'", "gold.hourly_trends", "*"],
      ["update gold.customer_segments set frequency = 9", "gold.customer_segments", "frequency"],
      ["update gold.sales_items set cost = 1 where order_date = '2015-02-01'", "gold.sales_items", "cost"],
      ["delete from gold.sales_hours where order_date = '2015-01-31'", "gold.sales_hours", "*"],
      ["update gold.dates set holiday = 'Pizza Day' where date = '2015-02-09'", "gold.dates", "holiday"],
      ["delete from gold.dates where date = '2015-02-01'", "gold.dates", "*"],
      ["insert into gold.ingredients values ('Gold', 1, now())", "gold.ingredients", "*"],
    ] as const;
    for (const [edit, table, column] of edits) {
      await pipeline.owner.query(edit);
      const report = await pipeline.rebuild();
      expect(report).toMatchObject({ equal: false, published: true });
      expect(report.differences[0]).toMatchObject({ table, column, cause: "changed outside" });
      expect(await hash()).toBe(before);
    }
    await pipeline.owner.query("update facts.day_items set pizzas = pizzas + 1 where order_date = '2015-02-01'");
    expect(await pipeline.rebuild({ source: "silver" })).toMatchObject({
      published: true,
      differences: [
        { table: "facts.day_items", column: "pizzas", published: "3", rebuilt: "2", cause: "changed outside" },
      ],
    });
    expect(await hash()).toBe(before);
    await balanced();
    expect(await pipeline.rebuild()).toMatchObject({ equal: true });
  });

  it("is only reported on a dry run, and only within the range", async () => {
    await pipeline.owner.query(
      "update gold.daily_sales_summary set revenue = revenue + 1 where order_date = '2015-01-31'",
    );
    const wrong = await hash();
    expect(await pipeline.rebuild({ isDryRun: true })).toMatchObject({
      equal: false,
      published: false,
      differences: [
        {
          table: "gold.daily_sales_summary",
          day: "2015-01-31",
          key: "2015-01-31",
          column: "revenue",
          published: "54.00",
          rebuilt: "53.00",
        },
      ],
    });
    expect(await pipeline.rebuild({ from: "2015-02-01" })).toMatchObject({ equal: true, days: 1 });
    expect(await hash()).toBe(wrong);
  });

  it("of edited facts is only reported on a dry run, and the facts stay unchanged", async () => {
    await pipeline.owner.query("update facts.day_items set pizzas = pizzas + 1 where order_date = '2015-02-01'");
    const facts = () => pipeline.owner.query("select * from facts.day_items order by order_date, pizza_id");
    const edited = await facts();
    expect(await pipeline.rebuild({ isDryRun: true })).toMatchObject({ equal: false, published: false });
    expect(await facts()).toEqual(edited);
  });

  it("of a duplicate line is repaired", async () => {
    const before = await hash();
    const { version, partitions } = await pipeline.silver.snapshot();
    const [file] = partitions.get("2015-02-01")!;
    const body = (await pipeline.store.get(`${pipeline.silver.root}/${file!.path}`))!;
    const copy = await pipeline.silver.writeDataFile({
      partition: "2015-02-01",
      body,
      rows: file!.rows,
      stats: file!.stats!,
    });
    await pipeline.silver.commit({
      readVersion: version,
      operation: "WRITE",
      adds: [copy],
      removes: [],
      transactions: [],
      operationMetrics: {},
    });
    await pipeline.publishGold();
    expect(await hash()).not.toBe(before);
    const report = await pipeline.rebuild();
    expect(report.differences[0]).toMatchObject({ key: "nyc-01 order-4 1 (2)", column: "*", rebuilt: null });
    expect(await hash()).toBe(before);
    await balanced();
  });

  it("is late if silver has orders that gold does not show yet", async () => {
    await pipeline.land(await pipeline.send([sale(6, "2015-01-30")]));
    await pipeline.refine();
    const report = await pipeline.rebuild({ source: "silver" });
    expect(report).toMatchObject({ equal: false, published: true });
    expect(new Set(report.differences.map(({ cause }) => cause))).toEqual(new Set(["late"]));
    expect(report.counts).toContainEqual({
      table: "gold.daily_sales_summary",
      column: "revenue",
      cause: "late",
      values: 1,
    });
    await pipeline.publishGold();
    await balanced();
  });

  it("is a menu change if the menu has a different cost: silver's days, then gold's, are replaced", async () => {
    await pipeline.land(await pipeline.send([sale(6, "2015-02-10"), sale(7, "2015-02-11")]));
    await pipeline.work();
    pipeline.replaceCatalog(menuWith("bbq_ckn_s", { cost_cents: 500 }));
    const version = await silverVersion();
    const report = await pipeline.rebuild();
    expect([...new Set(report.counts.map(({ column }) => column))].toSorted()).toEqual([
      "cost",
      "cost_cents",
      "margin",
      "margin_cents",
      "margin_pct",
      "unit_cost_cents",
    ]);
    expect(report).toMatchObject({ equal: false, published: true, silverVersion: version + 1 });
    const [line] = report.differences;
    expect(line).toEqual({
      table: "silver.order_lines",
      day: "2015-02-01",
      key: "nyc-01 order-4 1",
      column: "unit_cost_cents",
      published: "410",
      rebuilt: "500",
      cause: "menu change",
    });
    expect(new Set(report.differences.map(({ cause }) => cause))).toEqual(new Set(["menu change"]));
    expect(report.differences).toContainEqual(
      expect.objectContaining({
        table: "gold.daily_sales_summary",
        key: "2015-02-01",
        column: "cost",
        published: "8.20",
        rebuilt: "10.00",
      }),
    );
    await balanced();
    expect(await pipeline.rebuild()).toMatchObject({ equal: true });
    expect(await leftovers()).toEqual([]);
  });

  it("is an order that is rejected after a price change, and accepted again once the price is restored", async () => {
    const before = await hash();
    pipeline.replaceCatalog(menuWith("bbq_ckn_s", { price_cents: 1300 }));
    const rejected = await pipeline.rebuild();
    expect(rejected.differences[0]).toMatchObject({
      key: "nyc-01 order-4 1",
      column: "*",
      rebuilt: null,
      cause: "menu change",
    });
    expect(await pipeline.verify()).toMatchObject({
      findings: [],
      events: { quarantined: { price_off_menu: 1, wrong_type: 1 } },
    });
    pipeline.replaceCatalog(catalog);
    const accepted = await pipeline.rebuild();
    expect(accepted.differences[0]).toMatchObject({ key: "nyc-01 order-4 1", published: null, cause: "menu change" });
    expect(await pipeline.verify()).toMatchObject({
      findings: [],
      events: { accepted: 4, quarantined: { wrong_type: 1 } },
    });
    expect(await hash()).toBe(before);
  });

  it("is a rule version if silver lacks rows that bronze produces", async () => {
    const before = await hash();
    const snapshot = await pipeline.silver.snapshot();
    const removes = snapshot.partitions.get("2015-02-01")!;
    await pipeline.silver.commit({
      readVersion: snapshot.version,
      operation: "DELETE",
      adds: [],
      removes,
      transactions: [],
      operationMetrics: {},
    });
    await pipeline.publishGold();
    expect(await hash()).not.toBe(before);
    const report = await pipeline.rebuild();
    expect(report.differences[0]).toMatchObject({
      key: "nyc-01 order-4 1",
      published: null,
      rebuilt: "2 bbq_ckn_s 1275",
      cause: "rule version",
    });
    expect(await hash()).toBe(before);
    await balanced();
  });
});

describe("a rebuild while orders keep arriving", () => {
  it("includes what was consumed meanwhile, and publishes on top of it", async () => {
    pipeline.replaceCatalog(menuWith("bbq_ckn_s", { cost_cents: 500 }));
    let settled = 0;
    const report = await pipeline.rebuild(
      {},
      {
        async exclusively(job) {
          if (settled++ === 0) {
            await pipeline.land(await pipeline.send([sale(6, "2015-02-01", "bbq_ckn_s")]));
            await pipeline.work();
          }
          return await job();
        },
      },
    );
    expect(report).toMatchObject({ published: true, bronzeObjects: 3 });
    await balanced();
    expect(await pipeline.verify()).toMatchObject({ events: { accepted: 5 } });
  });

  it("retries if another writer commits the version first", async () => {
    pipeline.replaceCatalog(menuWith("bbq_ckn_s", { cost_cents: 500 }));
    const { silver } = pipeline;
    let isFirst = true;
    const commit: typeof silver.commit = silver.commit.bind(silver);
    silver.commit = async (request) => {
      silver.commit = commit;
      if (isFirst && request.operation === "WRITE") {
        isFirst = false;
        await pipeline.land(await pipeline.send([sale(6, "2015-02-01", "bbq_ckn_s")]));
        await pipeline.work();
      }
      return await commit(request);
    };
    expect(await pipeline.rebuild()).toMatchObject({ published: true, bronzeObjects: 3 });
    await balanced();
  });

  it("retries if another writer commits after the comparison, and loses none of its orders", async () => {
    pipeline.replaceCatalog(menuWith("bbq_ckn_s", { cost_cents: 500 }));
    const { silver } = pipeline;
    const write: typeof silver.writeDataFile = silver.writeDataFile.bind(silver);
    silver.writeDataFile = async (file) => {
      silver.writeDataFile = write;
      await pipeline.land(await pipeline.send([sale(6, "2015-02-01", "bbq_ckn_s")]));
      await pipeline.work();
      return await write(file);
    };
    expect(await pipeline.rebuild()).toMatchObject({ published: true, bronzeObjects: 3 });
    await balanced();
    expect(await pipeline.verify()).toMatchObject({ events: { accepted: 5 } });
  });
});

describe("a rebuild without complete bronze", () => {
  const objects = async () => (await pipeline.store.list("bronze/")).map(({ key }) => key);

  /** Removes the object that landed first (orders 1 and 2), or the second (3, 4, and one that is rejected). */
  async function lose(which: 0 | 1): Promise<string> {
    const key = (await objects())[which]!;
    await pipeline.store.delete(key);
    return key;
  }

  it.each([true, false])(
    "leaves silver and gold unchanged, and names what is missing (dry run: %s)",
    async (isDryRun) => {
      const [before, version] = [await hash(), await silverVersion()];
      const key = await lose(0);
      const report = await pipeline.rebuild({ isDryRun });
      expect(report).toMatchObject({
        equal: false,
        published: false,
        missing: { objects: [key], records: [expect.any(String)] },
      });
      expect(report.differences[0]).toMatchObject({
        key: "nyc-01 order-1 1",
        rebuilt: null,
        cause: "bronze is missing",
      });
      expect(new Set(report.counts.map(({ cause }) => cause))).toEqual(new Set(["bronze is missing"]));
      expect([await hash(), await silverVersion()]).toEqual([before, version]);
    },
  );

  it("publishes nothing of other days either, even if their bronze is complete", async () => {
    const key = await lose(1);
    await pipeline.owner.query(
      "update gold.daily_sales_summary set revenue = revenue + 1 where order_date = '2015-01-30'",
    );
    const wrong = await hash();
    const report = await pipeline.rebuild({ to: "2015-01-30" });
    expect(report).toMatchObject({ equal: false, published: false, missing: { objects: [key], records: [] } });
    expect(await hash()).toBe(wrong);
  });

  /**
   * Simulates a long time: the keys of consumed objects expire from the log, and the low watermark passes their hours.
   */
  function expireNames() {
    const snapshotOf = pipeline.silver.snapshot.bind(pipeline.silver);
    pipeline.silver.snapshot = async (...args) => {
      const snapshot = await snapshotOf(...args);
      const kept = [...snapshot.transactions].filter(([name]) => !name.startsWith("bronze/"));
      const settled = { version: Date.parse("2016-01-01T00:00:00Z") / 3_600_000, lastUpdated: 0 };
      return { ...snapshot, transactions: new Map([...kept, ["bronze/settled-before", settled]]) };
    };
  }

  it("finds a row's missing record even after its object's key has expired from the log", async () => {
    await lose(0);
    expireNames();
    const [before, version] = [await hash(), await silverVersion()];
    const report = await pipeline.rebuild();
    expect(report).toMatchObject({ published: false, missing: { objects: [], records: [expect.any(String)] } });
    expect([await hash(), await silverVersion()]).toEqual([before, version]);
  });

  it("finds a rejected event's missing object even then", async () => {
    const key = await lose(1);
    expireNames();
    expect(await pipeline.rebuild({ to: "2015-01-30" })).toMatchObject({ missing: { objects: [key], records: [] } });
  });

  it("does not revert a revision that only a lost object contained", async () => {
    const amended = { ...sale(1, "2015-01-30", "bbq_ckn_s"), revision: 1, status: "amended" };
    const key = await pipeline.land(await pipeline.send([{ ...amended, producer: { producer_id: "till-1", seq: 6 } }]));
    await pipeline.work();
    await pipeline.store.delete(key);
    const report = await pipeline.rebuild();
    expect(report).toMatchObject({ published: false, missing: { objects: [key], records: [expect.any(String)] } });
    expect((await pipeline.trace("order-1")).silver).toMatchObject({ revision: 1 });
  });

  it("names a missing object that contained only a rejected event", async () => {
    const key = await pipeline.land(await pipeline.send([{ ...sale(6, "2015-02-01"), lines: 7 }]));
    await pipeline.work();
    await pipeline.store.delete(key);
    const report = await pipeline.rebuild();
    expect(report).toMatchObject({ equal: true, published: false, missing: { objects: [key], records: [] } });
  });

  it("does not name a redacted object as missing", async () => {
    const before = await objects();
    await pipeline.forget("c-1");
    expect((await objects())[0]).not.toBe(before[0]);
    expect(await pipeline.rebuild()).toMatchObject({ equal: true, missing: { objects: [], records: [] } });
  });
});
