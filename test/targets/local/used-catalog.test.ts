import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openFolderStore } from "../../../adapters/folder-store.ts";
import type { Pizza } from "../../../pipeline/domain/catalog.ts";
import type { RebuildReport } from "../../../pipeline/rebuild/report.ts";
import { openSilver } from "../../../pipeline/silver/tables.ts";
import { dataDirectory, prepareDataDirectory, type DataDirectory } from "../../../targets/local/data-directory.ts";
import { appliesCatalog, rejectChangedCatalog, storeCatalog } from "../../../targets/local/used-catalog.ts";

const pizza: Pizza = {
  pizza_id: "hawaiian_m",
  pizza_type_id: "hawaiian",
  name: "The Hawaiian Pizza",
  category: "Classic",
  size: "M",
  price_cents: 1325,
  cost_cents: 438,
  valid_from: null,
  valid_to: null,
};
const store = { store_id: "nyc-01", city: "New York", state: "NY", time_zone: "America/New_York" };
const known = { menu: [pizza], stores: [store] };
const newest = "2015-06-10";

let folder: DataDirectory;
beforeEach(async () => {
  folder = dataDirectory(mkdtempSync(join(tmpdir(), "pizza-catalog-")));
  prepareDataDirectory(folder, "start");
  await storeCatalog(folder, known);
});
afterEach(() => rmSync(folder.root, { recursive: true }));

async function sell(day: string): Promise<void> {
  const silver = openSilver({ store: openFolderStore(folder.lake), clock: Date.now });
  const { version } = await silver.snapshot();
  const adds = [{ path: `order_date=${day}/${version + 1}.parquet`, partition: day, size: 1, rows: 1 }];
  await silver.commit({
    readVersion: version,
    operation: "WRITE",
    adds,
    removes: [],
    transactions: [],
    operationMetrics: {},
  });
}

/** A price from a day on. */
const pricedFrom = (day: string): Pizza[] => [
  { ...pizza, valid_to: day },
  { ...pizza, price_cents: 1450, valid_from: day },
];

describe("once silver has all days", () => {
  beforeEach(async () => {
    await sell("2015-06-09");
    await sell(newest);
  });

  it.each([
    ["a new price from the newest day on", { ...known, menu: pricedFrom(newest) }],
    ["a new price from a later day on", { ...known, menu: pricedFrom("2027-03-01") }],
    ["a new pizza", { ...known, menu: [pizza, { ...pizza, pizza_id: "pumpkin_m" }] }],
    ["a new store", { ...known, stores: [store, { ...store, store_id: "pdx-01" }] }],
    ["a pizza taken off the menu later", { ...known, menu: [{ ...pizza, valid_to: "2016-01-01" }] }],
    [
      "another order of the keys and lines",
      { ...known, menu: [Object.fromEntries(Object.entries(pizza).toReversed()) as unknown as Pizza] },
    ],
  ])("%s is no question", async (_, catalog) => {
    await expect(rejectChangedCatalog(folder, catalog)).resolves.toBeUndefined();
  });

  it.each([
    ["another price of every day", { ...known, menu: [{ ...pizza, price_cents: 1 }] }, "hawaiian_m"],
    ["another cost of every day", { ...known, menu: [{ ...pizza, cost_cents: 1 }] }, "hawaiian_m"],
    ["a new price from an earlier day on", { ...known, menu: pricedFrom("2015-06-09") }, "hawaiian_m"],
    ["a pizza that is gone", { ...known, menu: [] }, "hawaiian_m"],
    ["a pizza taken off the menu earlier", { ...known, menu: [{ ...pizza, valid_to: "2015-06-09" }] }, "hawaiian_m"],
    ["a store in another city", { ...known, stores: [{ ...store, city: "Newark" }] }, "nyc-01"],
    ["a store in another time zone", { ...known, stores: [{ ...store, time_zone: "America/Chicago" }] }, "nyc-01"],
  ])("%s is rejected by name, and the message lists the options", async (_, catalog, name) => {
    await expect(rejectChangedCatalog(folder, catalog)).rejects.toThrow(
      new RegExp(`for days before ${newest}, .*: ${name}\\..*\\./pizza rebuild, .* \\./pizza start --changed-catalog`),
    );
    await storeCatalog(folder, catalog);
    await expect(rejectChangedCatalog(folder, catalog)).resolves.toBeUndefined();
  });

  it("a data directory of an earlier release opens without a warning", async () => {
    rmSync(join(folder.root, "catalog.json"));
    await expect(rejectChangedCatalog(folder, { menu: [], stores: [] })).resolves.toBeUndefined();
  });

  it.each(["", "{}", "null", '{"menu":[{}],"stores":[]}', "garbage"])(
    "a stored catalog of %j is reported",
    async (text) => {
      writeFileSync(join(folder.root, "catalog.json"), text);
      await expect(rejectChangedCatalog(folder, known)).rejects.toThrow(/catalog\.json is damaged: restore it/);
    },
  );
});

it("before the first order every change is free", async () => {
  await expect(rejectChangedCatalog(folder, { menu: [], stores: [] })).resolves.toBeUndefined();
});

it("data that only `./pizza produce` reads is not stored", async () => {
  await storeCatalog(folder, { menu: [], stores: [{ ...store, weight: 3 } as typeof store] });
  expect(readFileSync(join(folder.root, "catalog.json"), "utf8")).not.toContain("weight");
});

it("only a rebuild of every day that published its result, or found no difference, applies the catalog", () => {
  const whole = { from: "0001-01-01", to: "9999-12-31", source: "bronze", isDryRun: false } as const;
  const report = { equal: false, published: true, missing: { objects: [], records: [] } } as unknown as RebuildReport;
  expect(appliesCatalog(whole, report)).toBe(true);
  expect(appliesCatalog({ ...whole, from: "2015-01-01" }, report)).toBe(false);
  expect(appliesCatalog({ ...whole, isDryRun: true }, { ...report, published: false })).toBe(false);
  expect(appliesCatalog({ ...whole, source: "silver" }, report)).toBe(false);
});
