import type { LakeQuery, ObjectStore } from "../../pipeline/ports.ts";
import type { PublishSummary } from "../../pipeline/gold/publish-windows.ts";
import type { PublishingPlan } from "../../pipeline/gold/plan-windows.ts";
import { loadGoldSql } from "../../adapters/project-files.ts";
import { compactTable, type CompactSummary } from "../../pipeline/delta/compact.ts";
import { createCustomerKey } from "../../pipeline/silver/write-orders.ts";
import { refineSilver, type RefineContext, type RefineSummary } from "../../pipeline/silver/refine-silver.ts";
import { openQuarantine, openSilver, orderStream } from "../../pipeline/silver/tables.ts";
import { createFunctions } from "../../targets/local/functions.ts";
import type { Functions } from "../../targets/local/workflow-runner.ts";
import { catalog } from "../support/order-fixture.ts";
import { openBucket, type Objects } from "./bucket.ts";
import { lakeOf, type SimulatedLake } from "./lake.ts";
import { openSimulatedWarehouse, type Server } from "./warehouse.ts";
import type { Process, World } from "./world.ts";

export const customerKey = createCustomerKey("secret of the simulation");
const goldSql = loadGoldSql();
/** Small limits, so that a few orders have the effect of thousands. */
const [checkpointEvery, eventsPerRun, filesToJoin] = [4, 4, 2];

/** A deliberate bug in the product, to test that a history detects it. */
export type Planted = (store: ObjectStore) => ObjectStore;

/** Shared by all processes of a history. */
export interface Services {
  planted: Planted;
  objects: Objects;
  onFailure: Objects;
  server: Server;
  lake: SimulatedLake;
}

/** A process that runs the workflows' functions, with separate caches. */
export interface Worker {
  process: Process;
  refinery: RefineContext;
  onFailure: ObjectStore;
  lake: LakeQuery;
  call: (name: string, input: Record<string, unknown>) => Promise<unknown>;
}

/** Opens the product's functions over faulty services, as a local pipeline does over real ones. */
export function openWorker(
  world: World,
  { planted, objects, onFailure, server, lake }: Services,
  { store: given }: { store?: ObjectStore } = {},
): Worker {
  const process = world.process("worker");
  const store = given ?? planted(openBucket(world, objects, process));
  const tableContext = { store, clock: world.clock, checkpointEvery };
  const tables = { silver: openSilver(tableContext), quarantine: openQuarantine(tableContext) };
  const refinery = { ...tables, store, stream: orderStream, catalog, customerKey, clock: world.clock };
  const context = {
    refinery,
    onFailure: openBucket(world, onFailure, process),
    lake: lakeOf(world, lake, process),
    warehouse: openSimulatedWarehouse(world, server, process),
    goldSql,
    customersEveryMs: world.choices.pick([0, 3_600_000]),
  };
  const verify = () => Promise.reject(new Error("the receipt is worked out when the history is over"));
  const functions: Functions = {
    ...createFunctions({ ...context, verify }),
    RefineSilver: ({ sweep }: { sweep: "recent" | "full" }) =>
      refineSilver(refinery, { sweep, maxEvents: eventsPerRun }),
    CompactSilver: () => compactTable({ table: tables.silver, store, minFiles: filesToJoin }),
  };
  return {
    process,
    refinery,
    onFailure: context.onFailure,
    lake: context.lake,
    async call(name, input) {
      const result = await functions[name]!(input as never);
      countGuards(world, name, result);
      return result;
    },
  };
}

function countGuards({ faults }: World, name: string, result: unknown): void {
  if (name === "RedriveLanding") {
    faults.acted("bronze: failed batch is redriven", (result as { redriven: number }).redriven);
  }
  if (name === "RefineSilver") {
    const summary = result as RefineSummary;
    faults.acted("silver: the same record in two objects of a run", summary.repeatedRecords);
    faults.acted("silver: event of a stream position that was consumed before", summary.redeliveredEvents);
    faults.acted("silver: duplicate event", summary.eventDuplicates);
    faults.acted("silver: older revision is superseded", summary.supersededRevisions);
    faults.acted("silver: event is rejected", summary.quarantined);
    faults.acted("silver: accepted event is superseded by an earlier one", summary.displacedEvents);
  }
  if (name === "PublishQuarantine") {
    faults.acted("quarantine: staged file is published", (result as { files: number }).files);
  }
  if (name === "CompactSilver")
    faults.acted("compaction: files are merged", Number((result as CompactSummary).committed));
  if (name === "PlanWindows") {
    faults.acted("gold: nothing to publish", Number((result as PublishingPlan).batches.length === 0));
  }
  if (name === "PublishWindows") {
    const { skipped, corrections } = result as PublishSummary;
    faults.acted("gold: day is skipped by the fence", skipped);
    faults.acted("gold: reported day is corrected", corrections);
  }
}
