import { describe, expect, it } from "vitest";
import { startsAMonth, type DeploymentSize } from "../../../lib/cost/deployment-size.ts";
import { estimateCost } from "../../../lib/cost/estimate-cost.ts";
import { billOf, loadPrices } from "../../../lib/cost/price-table.ts";
import { runsOf, trafficOf } from "../../../lib/cost/traffic.ts";

const prices = loadPrices();

const size: DeploymentSize = {
  stream: { shards: 1, retentionHours: 24 },
  landing: { batchRecords: 500, windowSeconds: 30 },
  functions: { LandRecords: 512, RefineSilver: 1769, PublishWindows: 1769, VerifyReceipt: 3008, StartWorkflow: 512 },
  architecture: "arm64",
  starts: { bronze_to_silver: 8760, silver_to_gold: 8760, data_quality: 30 },
  lakeSql: "athena",
  aurora: { minAcu: 0, maxAcu: 2, autoPauseSeconds: 300, instances: 1 },
  keys: 1,
  secrets: 4,
  alarmMetrics: 20,
  dashboards: 1,
  isTraced: true,
  hasBucketKeys: true,
};

const cost = (ordersPerDay: number, changes: Partial<DeploymentSize> = {}) =>
  estimateCost({ size: { ...size, ...changes }, prices }, ordersPerDay);

describe("traffic", () => {
  it("combines events that arrive while a batch lingers into one record, up to a full batch", () => {
    expect(trafficOf(size, 1000).eventsPerRecord).toBeCloseTo(1, 1);
    expect(trafficOf(size, 1_000_000_000).eventsPerRecord).toBeCloseTo(196_608 / 573);
    expect(trafficOf(size, 1_000_000, { isBatched: false }).records).toBe(trafficOf(size, 1_000_000).events);
  });

  it("lands at most once per batching window and shard", () => {
    const { landings, openHours } = trafficOf(size, 10_000_000);
    const windows = (openHours * 3600) / 30;
    expect(landings).toBeLessThanOrEqual(windows);
    expect(landings).toBeGreaterThan(windows * 0.9);
  });

  it("starts one run an hour even without work", () => {
    const idle = runsOf(size, trafficOf(size, 0));
    expect(idle).toMatchObject({ refining: 730, publishing: 730, starts: 17_550 });
    const busy = runsOf(size, trafficOf(size, 1_000_000));
    expect(busy.refining).toBeGreaterThan(4000);
    expect(busy.refining).toBeLessThanOrEqual(8760);
  });

  it("counts the starts of a schedule, and rejects an unsupported expression", () => {
    expect(["rate(5 minutes)", "rate(1 hour)", "cron(15 4 * * ? *)"].map(startsAMonth)).toEqual([8760, 730, 730 / 24]);
    expect(() => startsAMonth("cron(0/5 8-18 ? * MON-FRI *)")).toThrow("is not supported: use rate");
  });
});

describe("an estimate", () => {
  it("adds up to the sum of its services", () => {
    const { services, usd, naiveUsd, idleUsd } = cost(50_000);
    for (const [key, total] of Object.entries({ usd, naiveUsd, idleUsd })) {
      expect(services.reduce((sum, service) => sum + service[key as "usd"], 0)).toBeCloseTo(total, 6);
    }
  });

  it("increases with the number of orders, but slower than the naive design's", () => {
    const costs = [0, 1000, 100_000, 1_000_000, 10_000_000].map((orders) => cost(orders));
    expect(costs.map(({ usd }) => usd)).toEqual(costs.map(({ usd }) => usd).toSorted((a, b) => a - b));
    for (const { usd, naiveUsd } of costs.slice(1)) expect(naiveUsd).toBeGreaterThan(2 * usd);
    expect(costs[0]!.usd).toBe(costs[0]!.idleUsd);
  });

  it("charges for a pausing database only while it runs", () => {
    const database = (minAcu: number) =>
      cost(0, { aurora: { ...size.aurora!, minAcu } }).services.find(({ service }) => service === "Aurora")!.usd;
    expect(database(0)).toBeLessThan(database(0.5) / 5);
    expect(cost(0, { aurora: undefined }).services.map(({ service }) => service)).not.toContain("Data API");
  });

  it("charges at least ten megabytes of Athena scans per run, and none with DuckDB", () => {
    const lines = (lakeSql: DeploymentSize["lakeSql"]) => cost(1000, { lakeSql }).bill.lines;
    expect(lines("athena").find(({ price }) => price === "athena-tb")!.quantity).toBeGreaterThan(0.01);
    expect(lines("duckdb").map(({ price }) => price)).not.toContain("athena-tb");
  });

  it("warns about too few shards and about a history that is too large for VerifyReceipt", () => {
    expect(cost(1000).warnings).toEqual([]);
    expect(cost(100_000).warnings).toEqual([expect.stringMatching(/can reconcile only about \d\d days of history/)]);
    const tooFew = expect.stringMatching(/needs \d+ shards, but the template has 1/);
    const tooLong = expect.stringContaining("less than a day of history");
    expect(cost(1_000_000_000).warnings).toEqual([tooFew, tooLong]);
    const onDemand = { stream: { shards: "on-demand" as const, retentionHours: 24 } };
    expect(cost(1_000_000_000, onDemand).warnings).toEqual([tooLong]);
  });

  it("moves only large bronze objects to cheaper storage classes", () => {
    const archived = (orders: number) => cost(orders).bill.lines.find(({ price }) => price === "s3-archive-gb-months")!;
    expect(archived(10_000).quantity).toBe(0);
    expect(archived(100_000_000).quantity).toBeGreaterThan(0);
  });
});

describe("the price table", () => {
  it("gives every price a unit, a source and a date", () => {
    for (const [id, price] of Object.entries(prices.prices)) {
      expect(price, id).toEqual({
        service: expect.any(String),
        usd: expect.any(Number),
        per: expect.any(Number),
        unit: expect.stringMatching(/./),
        source: expect.stringMatching(/^https:\/\/aws\.amazon\.com\//),
        date: expect.stringMatching(/^20\d\d-\d\d-\d\d$/),
        checked: expect.any(Boolean),
      });
    }
  });

  it("multiplies, and rejects a quantity without a price", () => {
    const { usd } = billOf({ "lambda-requests": 5_000_000, "kms-key-months": 2 }, prices);
    expect(usd).toBeCloseTo(3);
    expect(() => billOf({ "tea-cups": 1 }, prices)).toThrow("price tea-cups is not in the price table");
  });

  it("has exactly the prices that some resource type uses", () => {
    const used = Object.values(prices.resources).flatMap((type) => ("prices" in type ? type.prices : []));
    expect(new Set(used)).toEqual(new Set(Object.keys(prices.prices)));
  });
});
