import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { forgetLostCommits } from "../../../pipeline/gold/published-commit.ts";
import { planWindows } from "../../../pipeline/gold/plan-windows.ts";
import { openSilver, orderStream } from "../../../pipeline/silver/tables.ts";
import { createMemoryStore } from "../delta/memory-store.ts";
import { openGoldPipeline, type GoldPipeline } from "./gold-fixture.ts";

let gold: GoldPipeline;
let store: ReturnType<typeof createMemoryStore>;
beforeAll(async () => {
  gold = await openGoldPipeline();
});
afterAll(() => gold.close());
beforeEach(async () => {
  await gold.empty();
  store = createMemoryStore();
});

/** Silver as a process opens it that has read nothing yet. */
const silver = () => openSilver({ store, clock: Date.now });
const plan = () =>
  planWindows(
    { store, stream: orderStream, silver: silver(), warehouse: gold.writer, clock: Date.now, customersEveryMs: 0 },
    { customers: "now" },
  );

/** Commits versions of silver, each with a new day. */
async function commit(...days: string[]): Promise<void> {
  const table = silver();
  for (const day of days) {
    const { version } = await table.snapshot();
    const path = `order_date=${day}/${version + 1}-${days.length}.parquet`;
    await table.commit({
      readVersion: version,
      operation: "WRITE",
      adds: [{ path, partition: day, size: 1, rows: 1 }],
      removes: [],
      transactions: [],
      operationMetrics: {},
    });
  }
}

const lose = (version: number) =>
  store.objects.delete(`silver/order_lines/_delta_log/${String(version).padStart(20, "0")}.json`);

it("a plan succeeds on the commit that gold was published from, and on later ones", async () => {
  await commit("2015-01-01");
  await plan();
  expect(await plan()).toMatchObject({ silverVersion: 0 });
  await commit("2015-01-02");
  expect(await plan()).toMatchObject({ silverVersion: 1 });
});

describe("a lake that has lost the commit that gold was published from", () => {
  beforeEach(async () => {
    await commit("2015-01-01", "2015-01-02");
    await plan();
    lose(1);
  });

  it("is rejected, and the message says how to continue", async () => {
    await expect(plan()).rejects.toThrow(
      /published from silver version 1, but the lake ends at version 0: restore the lost files of .*_delta_log\/ from a copy, or .* \.\/pizza rebuild/,
    );
  });

  it("is also rejected once another commit reuses its number or a later one", async () => {
    await commit("2015-01-03");
    await expect(plan()).rejects.toThrow(/silver version 1 is a different commit from the one that gold was published/);
    await commit("2015-01-04");
    await expect(plan()).rejects.toThrow(/silver version 1 is a different commit/);
  });

  it("is published completely, every day of it, after a rebuild has accepted it", async () => {
    await gold.owner.query(
      `insert into ops.windows (order_date, silver_version, order_lines, revenue_cents, content_hash,
         first_published_at, published_at, publish_count, reported_at)
       values ('2015-01-01', 1, 1, 1, '', now(), now(), 1, now())`,
    );
    await commit("2015-01-03");
    await forgetLostCommits({ silver: silver(), warehouse: gold.writer });
    expect((await plan()).batches.flatMap(({ windows }) => windows)).toEqual(["2015-01-01", "2015-01-03"]);
  });
});

it("a warehouse of an earlier release, which knows versions only, is accepted unless the lake is behind", async () => {
  await commit("2015-01-01", "2015-01-02");
  await plan();
  await gold.owner.query("delete from ops.cursor where name = 'silver_commit'");
  expect(await plan()).toMatchObject({ silverVersion: 1 });
  await gold.owner.query("delete from ops.cursor where name = 'silver_commit'");
  await gold.owner.query("insert into ops.cursor values ('silver_version', '1') on conflict do nothing");
  lose(1);
  await expect(plan()).rejects.toThrow(/the lake ends at version 0/);
});

it("no published version is discarded while the lake has the commit", async () => {
  await commit("2015-01-01");
  await plan();
  await forgetLostCommits({ silver: silver(), warehouse: gold.writer });
  expect(await gold.reader.query("select name from ops.cursor where name = 'silver_commit'")).toHaveLength(1);
});
