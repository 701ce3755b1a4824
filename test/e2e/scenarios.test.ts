import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Receipt } from "../../pipeline/domain/receipt.ts";
import type { Pipeline } from "../../targets/operations.ts";
import { openLocalPipeline } from "../../targets/local/open.ts";
import { goldHashes, temporaryPipeline } from "./command-line-fixture.ts";
import { openAws, openLocalStack } from "./scenarios/deployed.ts";
import { openEmbedded } from "./scenarios/local.ts";
import { deliver, send, type PipelineUnderTest } from "./scenarios/target-under-test.ts";
import { classicDays, createRevisions, outgoing, garbage } from "./scenarios/orders.ts";
import { prepareLocalPipeline } from "../support/prepared-postgres.ts";

/**
 * The same scenarios on every target: by default a local pipeline, LocalStack at PIZZA_TEST_LOCALSTACK, or the
 * environment PIZZA_TEST_AWS on AWS. A second, undisturbed local pipeline receives each order once, in order and in its
 * final form; after each scenario both must have the same gold, and the receipt must balance and count what happened.
 */
const { PIZZA_TEST_LOCALSTACK: endpoint, PIZZA_TEST_AWS: environment } = process.env;
const name = endpoint ? "LocalStack" : environment ? "AWS" : "embedded";

describe(`the ${name} pipeline`, () => {
  const { dir, remove } = temporaryPipeline();
  const days = classicDays();
  const revisions = createRevisions();
  const told = { accepted: 0, eventDuplicates: 0, supersededRevisions: 0, quarantined: {}, pending: 0 };
  let tested: PipelineUnderTest;
  let calm: Pipeline;

  beforeAll(async () => {
    tested = await (endpoint ? openLocalStack(endpoint) : environment ? openAws(environment) : openEmbedded());
    process.env["PIZZA_CUSTOMER_SECRET"] = tested.customerSecret;
    await prepareLocalPipeline(dir);
    calm = await openLocalPipeline({ dir });
  });

  afterAll(async () => {
    await calm?.close();
    remove();
    await tested?.close();
  });

  /** The state that the pipeline under test reports. */
  async function seen() {
    const { findings, records, events, ...receipt } = await tested.pipeline.verify();
    const { accepted, eventDuplicates, supersededRevisions, quarantined, pending } = events;
    const counts = { accepted, eventDuplicates, supersededRevisions, quarantined, pending };
    const { onFailure, waiting } = records;
    return { findings, onFailure, waiting, counts, sales: salesOf(receipt), gold: await goldHashes(tested.pipeline) };
  }

  /** The expected state: gold and its sums are the undisturbed pipeline's; `happened` adds to the counts so far. */
  async function wanted(happened: Partial<Omit<typeof told, "quarantined">>, quarantined = {}) {
    for (const [key, count] of Object.entries(happened)) told[key as "accepted"] += count;
    Object.assign(told.quarantined, quarantined);
    const sales = salesOf(await calm.verify());
    return { findings: [], onFailure: 0, waiting: 0, counts: told, sales, gold: await goldHashes(calm) };
  }

  it("publishes the classic week", async () => {
    const week = days("2015-01-07");
    await deliver(calm, outgoing(week));
    await deliver(tested.pipeline, outgoing(week));
    expect(await seen()).toEqual(await wanted({ accepted: week.length }));
  });

  it("counts an order once if it arrives twice, immediately or later", async () => {
    const orders = days("2015-01-09");
    await deliver(calm, outgoing(orders));
    await send(tested.pipeline, outgoing(orders.flatMap((event) => [event, event])));
    await deliver(tested.pipeline, outgoing(orders.toReversed()));
    expect(await seen()).toEqual(await wanted({ accepted: orders.length, eventDuplicates: 2 * orders.length }));
  });

  it("republishes a day when late orders arrive", async () => {
    const orders = days("2015-01-11");
    const isLate = (_: unknown, i: number) => i % 3 === 0;
    await deliver(calm, outgoing(orders));
    await deliver(tested.pipeline, outgoing(orders.filter((event, i) => !isLate(event, i))));
    expect(await goldHashes(tested.pipeline)).not.toEqual(await goldHashes(calm));
    await deliver(tested.pipeline, outgoing(orders.filter(isLate)));
    expect(await seen()).toEqual(await wanted({ accepted: orders.length }));
  });

  it("shows the last revision, whatever their order of arrival", async () => {
    const orders = days("2015-01-12");
    const [kept, changed] = [orders.slice(20), orders.slice(0, 20)];
    const amended = changed.map(revisions.amended);
    const cancelled = changed.slice(0, 10).map(revisions.cancelled);
    await deliver(calm, outgoing([...kept, ...amended.slice(10), ...cancelled]));
    // Half of them arrive in order; for the others the last revision comes first, each in a separate run.
    await deliver(
      tested.pipeline,
      outgoing([...kept, ...cancelled.slice(5), ...changed.filter((_, i) => i % 2 === 0)]),
    );
    await deliver(tested.pipeline, outgoing(amended));
    await deliver(tested.pipeline, outgoing([...changed.filter((_, i) => i % 2 === 1), ...cancelled.slice(0, 5)]));
    expect(await seen()).toEqual(
      await wanted({ accepted: orders.length, supersededRevisions: changed.length + cancelled.length }),
    );
  });

  it("quarantines malformed events with their reason, and accepts the orders around them", async () => {
    const orders = days("2015-01-13");
    const { events, reasons } = garbage();
    await deliver(calm, outgoing(orders));
    const good = outgoing(orders);
    await deliver(tested.pipeline, [...good.slice(0, 20), ...events, ...good.slice(20)]);
    expect(await seen()).toEqual(await wanted({ accepted: orders.length }, reasons));
  });

  it.skipIf(name === "AWS" || !existsSync("/proc")).each([
    ["LandRecords", "2015-01-14"],
    ["RefineSilver", "2015-01-15"],
    ["PublishWindows", "2015-01-16"],
  ] as const)(
    "loses nothing when %s is killed while it works",
    async (killed, lastDay) => {
      const orders = days(lastDay);
      await deliver(calm, outgoing(orders));
      expect(await tested.deliverKilling!(killed, outgoing(orders))).toBeGreaterThan(0);
      expect(await seen()).toEqual(await wanted({ accepted: orders.length }));
    },
    600_000,
  );

  it.skipIf(name === "AWS")(
    "catches up when a failed workflow is restarted",
    async () => {
      const orders = days("2015-01-17");
      await deliver(calm, outgoing(orders));
      await deliver(tested.pipeline, outgoing(orders.slice(0, 10)));
      const mend = await tested.breakPublishing!();
      try {
        await expect(deliver(tested.pipeline, outgoing(orders.slice(10)))).rejects.toThrow("silver_to_gold");
        expect((await tested.pipeline.verify()).unpublishedDays).toEqual(["2015-01-17"]);
      } finally {
        await mend();
      }
      await tested.pipeline.run({ workflow: "silver_to_gold" });
      expect(await seen()).toEqual(await wanted({ accepted: orders.length }));
    },
    600_000,
  );

  // A local pipeline's mapping retries without limit: it fails only without disk space, and has nowhere else to write.
  it.skipIf(name !== "LocalStack")(
    "lands failed batches in the next run",
    async () => {
      const orders = days("2015-01-18");
      await deliver(calm, outgoing(orders));
      const mend = await tested.breakLanding!();
      try {
        await send(tested.pipeline, outgoing(orders));
        const givenUp = async () => (await tested.pipeline.status()).landing?.onFailureRecords;
        await expect.poll(givenUp, { timeout: 400_000, interval: 200 }).toBeGreaterThan(0);
      } finally {
        await mend();
      }
      await tested.pipeline.drain();
      expect(await seen()).toEqual(await wanted({ accepted: orders.length }));
      expect((await tested.pipeline.status()).landing?.onFailureRecords).toBe(0);
    },
    800_000,
  );
});

function salesOf({ expected, silver, gold, notSales }: Pick<Receipt, "expected" | "silver" | "gold" | "notSales">) {
  return { expected, silver, gold, notSales };
}
