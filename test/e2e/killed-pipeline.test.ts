import { afterAll, expect, it } from "vitest";
import { classicYear } from "../../bin/commands/send.ts";
import { readStores } from "../../adapters/project-files.ts";
import { withFaults } from "../../producer/faults.ts";
import { type Outgoing, toOutgoing } from "../../producer/batch-builder.ts";
import { createRandom } from "../../producer/random.ts";
import type { StoreProfile } from "../../producer/tills.ts";
import { connectPipeline } from "../../targets/local/control-client.ts";
import { dataDirectory } from "../../targets/local/data-directory.ts";
import { replayUnderKills } from "../crash/killed-pipeline.ts";
import { classicTotals } from "../crash/wild-year.ts";
import { goldHashes, pizza, temporaryPipeline } from "./command-line-fixture.ts";
import { replayedYear } from "./replayed-year.ts";

const { dir, remove } = temporaryPipeline();

afterAll(async () => {
  await pizza(dir, "stop");
  remove();
});

it("a repeatedly killed pipeline has the same gold rows, even if the year arrives twice, shuffled and with duplicates", async () => {
  const calm = await replayedYear();
  const events = yearTwice();
  await replayUnderKills({ dir, events, kills: 6, seed: 11 });
  const remote = connectPipeline(dataDirectory(dir));
  await remote.drain();

  expect(await goldHashes(remote)).toEqual(calm.goldHashes);
  const receipt = await remote.verify();
  expect(receipt.findings).toEqual([]);
  expect(receipt.expected).toEqual(classicTotals);
  expect(receipt.events.accepted).toBe(21_350);
  // Repeated events are dropped as duplicates; a batch that was stored but lost its response is sent again too.
  expect(receipt.events.eventDuplicates).toBe(receipt.events.distinct - 21_350);
  expect(receipt.events.eventDuplicates).toBeGreaterThanOrEqual(events.length - 21_350);
}, 900_000);

/** The year in order, then the year shuffled with every twentieth event sent twice. */
function yearTwice(): Outgoing[] {
  const stores = readStores<StoreProfile>();
  const first = [...classicYear()].map((event) => toOutgoing(event));
  const again = [...withFaults(classicYear(), { duplicates: 0.05, seed: 3, stores })];
  return [...first, ...createRandom("shuffle", 7).shuffle(again)];
}
