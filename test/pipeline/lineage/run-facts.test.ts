import { afterEach, beforeEach, expect, test } from "vitest";
import { lineageEvent } from "../../../pipeline/lineage/lineage-event.ts";
import { awsDatasetNames, goldTables } from "../../../pipeline/lineage/datasets.ts";
import { readLineageEvents, recordLineage } from "../../../pipeline/lineage/record-lineage.ts";
import type { RunChange, RunState } from "../../../pipeline/lineage/execution-change.ts";
import { factsOf } from "../../../pipeline/lineage/run-facts.ts";
import { order } from "../../support/order-fixture.ts";
import { noon, openSilverPipeline, record, type SilverPipeline } from "../silver/refine-fixture.ts";
import { mistakesOf } from "./validate-event.ts";

let pipeline: SilverPipeline;
beforeEach(async () => {
  pipeline = await openSilverPipeline();
});
afterEach(() => pipeline.close());

const minute = 60_000;
const names = awsDatasetNames({
  environment: "dev",
  region: "eu-central-1",
  account: "123456789012",
  streamName: "orders-dev",
  lakeBucket: "pizza-lake",
  backupBucket: "pizza-backups",
  warehouse: "postgres://gold.example.com:5432/pizza_sales",
});

function change(workflow: string, state: RunState, more: Partial<RunChange> = {}): RunChange {
  const runId = "3d1f2c9a-7f0a-5a3e-8f51-0e9d6a6f2b11";
  return { workflow, runId, state, at: noon + 2 * minute, startedAt: noon + minute, ...more };
}

/** Lands and refines orders, with one bronze object and one refine pass for each. */
async function refinePasses(ids: string[]) {
  for (const id of ids) await pipeline.land(record(Number(id), order({ order_id: id })));
  let refined;
  do refined = await pipeline.refine({ maxEvents: 1 });
  while (refined.remaining > 0);
  return refined;
}

test("a run counts all its passes, and nothing of the runs before it", async () => {
  await refinePasses(["1", "2"]);
  pipeline.now += minute;
  await pipeline.land(record(9, "garbage"));
  const refined = await refinePasses(["3", "4", "5"]);
  const rejected = await pipeline.publish();
  const output = { refined, quarantine: rejected, compacted: { version: refined.version + 1 } };
  const facts = await factsOf(pipeline.store, change("bronze_to_silver", "COMPLETE", { output }));
  expect(refined).toMatchObject({ version: 5, bronzeObjects: 1 });
  expect(facts!.counts).toMatchObject({ bronzeObjects: 4, events: 4, accepted: 3, lines: 3, quarantined: 1 });
  expect(facts!.statistics).toEqual({
    "lake:bronze/orders": { fileCount: 4 },
    "lake:silver/order_lines": { rowCount: 3, fileCount: 3 },
    "lake:quarantine/order_events": { rowCount: 1, fileCount: 1 },
  });
  expect(facts!.versions).toEqual({ "lake:silver/order_lines": 6, "lake:quarantine/order_events": 0 });
});

test("a publishing run counts its batches, and every gold table has silver's version", async () => {
  const output = {
    plan: { silverVersion: 7 },
    published: [
      { windows: 2, published: 2, skipped: 0, rowsChanged: 40, corrections: 0 },
      { windows: 1, published: 0, skipped: 1, rowsChanged: 0, corrections: 0 },
    ],
    customersPublished: { windows: 3, published: 3, skipped: 0, rowsChanged: 12, corrections: 0 },
  };
  const complete = change("silver_to_gold", "COMPLETE", { output });
  const event = lineageEvent(complete, names, await factsOf(pipeline.store, complete));
  expect(event.run.facets["pizzaSales_counts"]).toMatchObject({
    windows: 3,
    published: 2,
    skipped: 1,
    rowsChanged: 40,
    corrections: 0,
    customerRowsChanged: 12,
  });
  expect(event.inputs[0]).toMatchObject({ name: "silver/order_lines", facets: { version: { datasetVersion: "7" } } });
  expect(event.outputs).toHaveLength(goldTables.length);
  for (const { namespace, name, facets } of event.outputs) {
    expect(`${namespace}/${name}`).toMatch(/^postgres:\/\/gold\.example\.com:5432\/pizza_sales\.gold\.[a-z_]+$/);
    expect(facets["version"]).toMatchObject({ datasetVersion: "7" });
  }
});

const runs = ["bronze_to_silver", "silver_to_gold", "data_quality", "backup", "a_workflow_of_tomorrow"].flatMap(
  (workflow) => (["START", "COMPLETE", "FAIL", "ABORT"] as const).map((state) => ({ workflow, state })),
);

test("a backup has its id as version, and the silver version that it shows", async () => {
  const backup = { id: "2026-11-24T130000Z", tables: 31, rows: 900, bytes: 5000, goldHash: "a", silverVersion: 7 };
  const complete = change("backup", "COMPLETE", { output: { backup } });
  const event = lineageEvent(complete, names, await factsOf(pipeline.store, complete));
  expect(mistakesOf(event)).toEqual([]);
  expect(event.outputs).toMatchObject([
    {
      namespace: "s3://pizza-backups",
      facets: { version: { datasetVersion: backup.id } },
      outputFacets: { outputStatistics: { rowCount: 900, size: 5000 } },
    },
  ]);
  expect(event.inputs[0]!.facets["version"]).toMatchObject({ datasetVersion: "7" });
});

test("a quality check counts the red rules and the stored results", async () => {
  const quality = { silverVersion: 7, errors: 1, warnings: 2, results: Array.from({ length: 14 }, () => ({})) };
  const complete = change("data_quality", "COMPLETE", { output: { receipt: { findings: [{}] }, quality } });
  const event = lineageEvent(complete, names, await factsOf(pipeline.store, complete));
  expect(mistakesOf(event)).toEqual([]);
  const counts = { receiptFindings: 1, rules: 14, errors: 1, warnings: 2 };
  expect(event.run.facets["pizzaSales_counts"]).toMatchObject(counts);
  expect(event.outputs).toMatchObject([
    { name: "pizza_sales.ops.data_quality_results", outputFacets: { outputStatistics: { rowCount: 14 } } },
  ]);
});

test.each(runs)(
  "the event of $state in $workflow is valid under the published schemas",
  async ({ workflow, state }) => {
    const refined = await refinePasses(["1"]);
    const more = {
      COMPLETE: { output: { refined, plan: { silverVersion: 0 }, published: [] } },
      FAIL: { error: "it fell" },
      ABORT: { error: "ABORTED" },
      START: {},
    };
    const event = await recordLineage({ store: pipeline.store, names }, change(workflow, state, more[state]));
    expect(mistakesOf(event)).toEqual([]);
    expect(event).toMatchObject({ eventType: state, job: { namespace: "pizza-sales-dev", name: workflow } });
  },
);

test("a run without a known output has no counts, but is still an event", async () => {
  for (const workflow of ["bronze_to_silver", "silver_to_gold"]) {
    const event = await recordLineage({ store: pipeline.store, names }, change(workflow, "COMPLETE"));
    expect(mistakesOf(event)).toEqual([]);
    expect(JSON.stringify(event)).not.toMatch(/rowCount|datasetVersion|pizzaSales_counts/);
  }
});

test("an event that is recorded twice is stored once and sent twice", async () => {
  const sent: object[] = [];
  const endpoint = { send: async (event: object) => void sent.push(event) };
  const output = { backup: { id: "b", tables: 1, rows: 2, bytes: 3, silverVersion: 4 } };
  for (const more of [{ output }, {}]) {
    await recordLineage({ store: pipeline.store, names, endpoint }, change("backup", "COMPLETE", more));
  }
  const kept = await readLineageEvents(pipeline.store, { since: "2015-01-01", limit: 10 });
  expect(kept).toEqual([sent[0]]);
  expect(kept[0]!.run.facets).toHaveProperty("pizzaSales_counts");
  expect(sent).toHaveLength(2);
});

test("events are read in chronological order, by day, by workflow and up to a limit", async () => {
  const dayMs = 24 * 60 * minute;
  for (const days of [0, 1, 2]) {
    const at = noon + days * dayMs;
    const runId = `3d1f2c9a-7f0a-5a3e-8f51-0e9d6a6f2b1${days}`;
    await recordLineage({ store: pipeline.store, names }, change("bronze_to_silver", "START", { at, runId }));
    await recordLineage({ store: pipeline.store, names }, change("data_quality", "START", { at: at + 1, runId }));
  }
  const read = async (query: Partial<Parameters<typeof readLineageEvents>[1]>) =>
    (await readLineageEvents(pipeline.store, { since: "2015-01-01", limit: 99, ...query })).map(
      ({ eventTime, job }) => `${eventTime.slice(8, 10)} ${job.name}`,
    );
  expect(await read({ since: "2015-01-03" })).toEqual([
    "03 bronze_to_silver",
    "03 data_quality",
    "04 bronze_to_silver",
    "04 data_quality",
  ]);
  expect(await read({ workflow: "data_quality" })).toEqual(["02 data_quality", "03 data_quality", "04 data_quality"]);
  expect(await read({ limit: 1 })).toEqual(["04 data_quality"]);
});

test("neither the limit nor midnight splits a run", async () => {
  const midnight = Date.parse("2015-01-03T00:00:00Z");
  const keep = (workflow: string, state: RunState, at: number, run: number) =>
    recordLineage(
      { store: pipeline.store, names },
      change(workflow, state, { at, startedAt: at, runId: `run-${run}` }),
    );
  await keep("bronze_to_silver", "START", midnight - 3 * minute, 1);
  await keep("bronze_to_silver", "COMPLETE", midnight - 2 * minute, 1);
  await keep("data_quality", "START", midnight - minute, 2);
  await keep("silver_to_gold", "START", midnight, 3);
  await keep("data_quality", "COMPLETE", midnight + minute, 2);
  const read = async (query: Parameters<typeof readLineageEvents>[1]) =>
    (await readLineageEvents(pipeline.store, query)).map(({ eventType, job }) => `${job.name} ${eventType}`);
  const whole = ["data_quality START", "data_quality COMPLETE"];
  expect(await read({ since: "2015-01-01", limit: 1 })).toEqual(whole);
  expect(await read({ since: "2015-01-03", workflow: "data_quality", limit: 9 })).toEqual(whole);
  expect(await read({ since: "2015-01-03", limit: 9 })).toEqual([whole[0], "silver_to_gold START", whole[1]]);
});
