import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { landRecords } from "../../pipeline/bronze/land-records.ts";
import { orderStream } from "../../pipeline/silver/tables.ts";
import { createMemoryStore } from "../pipeline/delta/memory-store.ts";
import { choicesOfSeed } from "./choices.ts";
import { runHistory } from "./history.ts";
import { checkNumbers } from "./invariants.ts";
import { openLaboratory, startLaboratoryServer } from "./laboratory.ts";
import type { Planted } from "./pipeline.ts";
import { shrink } from "./shrink.ts";

let server: Awaited<ReturnType<typeof startLaboratoryServer>>;
let laboratory: Awaited<ReturnType<typeof openLaboratory>>;
beforeAll(async () => {
  server = await startLaboratoryServer(1);
  laboratory = await openLaboratory(server.databases[0]!);
});
afterAll(async () => {
  await laboratory.close();
  await server.stop();
});

const run = (seed: number, planted?: Planted) => runHistory(choicesOfSeed(seed), laboratory, planted && { planted });

async function firstFailure(planted: Planted, from: number) {
  for (let seed = from; seed < from + 200; seed++) {
    const outcome = await run(seed, planted);
    if (outcome.violations.length > 0) return outcome;
  }
  throw new Error("no history has shown it");
}

describe("all eight invariants hold", () => {
  it("in a fixed set of histories", async () => {
    for (let seed = 1; seed <= 50; seed++) expect((await run(seed)).violations, `seed ${seed}`).toEqual([]);
  });

  it("in new histories on every run", { retry: 0 }, async () => {
    const first = 1_000_000 + (Date.now() % 1_000_000_000);
    console.log(`simulation: histories from seed ${first}`);
    for (let seed = first; seed < first + 30; seed++) {
      expect((await run(seed)).violations, `npm run simulate -- --seed ${seed} --histories 1`).toEqual([]);
    }
  });
});

describe("the simulator", () => {
  it("produces the same history for the same seed", async () => {
    for (let seed = 300; seed < 310; seed++) {
      const [one, other] = [await run(seed), await run(seed)];
      expect(other).toEqual(one);
    }
  });

  it("detects a missing till number that is not reported, and a reported one that is not missing", async () => {
    const store = createMemoryStore();
    const records = [1, 3].map((seq) => ({
      shard: "shardId-000000000000",
      sequenceNumber: `${seq}`,
      partitionKey: "till-0",
      arrivedAt: 0,
      data: Buffer.from(JSON.stringify({ producer: { producer_id: "till-0", seq } })),
    }));
    await landRecords({ store, stream: orderStream, clock: () => 0 }, records);
    expect(await checkNumbers(new Map([["till-0", [2]]]), store)).toEqual([]);
    expect(await checkNumbers(new Map(), store)).toEqual(["5: till-0 lacks 1: 2, it is said, and that is not so"]);
    const others = new Map([
      ["till-0", [2]],
      ["till-1", [7]],
    ]);
    expect(await checkNumbers(others, store)).toEqual(["5: till-1 lacks 1: 7, and that is not said"]);
  });

  it("detects a store that accepts a second commit of one version, and shrinks the history that shows it", async () => {
    const planted: Planted = (store) => ({ ...store, put: async (key, body) => await store.put(key, body) });
    const failed = await firstFailure(planted, 124);
    const shortest = await shrink(failed, laboratory, { planted, mostRuns: 40 });
    const choicesThatMatter = ({ drawn }: typeof failed) => drawn.filter((value) => value > 0).length;
    expect(choicesThatMatter(shortest)).toBeLessThan(choicesThatMatter(failed));
    expect(shortest.violations).not.toEqual([]);
    expect(shortest.trace.join("\n")).toContain("put silver/order_lines/_delta_log");
  });

  it("detects a landing that is confirmed before it is written", async () => {
    const planted: Planted = (store) => ({
      ...store,
      put: async (key, body, options) =>
        key.startsWith("bronze/")
          ? await store.put(key, body, options).catch(() => true)
          : await store.put(key, body, options),
    });
    expect((await firstFailure(planted, 64)).violations[0]).toMatch(/^1:/);
  });
});
