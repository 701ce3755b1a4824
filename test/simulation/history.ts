import type { ObjectStore, Warehouse } from "../../pipeline/ports.ts";
import { landRecords } from "../../pipeline/bronze/land-records.ts";
import { refineSilver } from "../../pipeline/silver/refine-silver.ts";
import { listPending } from "../../pipeline/silver/list-pending.ts";
import { bringBackObjects } from "../../pipeline/silver/set-aside.ts";
import { keysSetAside } from "../../pipeline/silver/transactions.ts";
import { openQuarantine, openSilver, orderStream } from "../../pipeline/silver/tables.ts";
import { catalog } from "../support/order-fixture.ts";
import { createMemoryStore } from "../pipeline/delta/memory-store.ts";
import type { Choices } from "./choices.ts";
import type { Coverage } from "./coverage.ts";
import { differences, goldOf, numbersOf, readGold } from "./gold-rows.ts";
import { checkBronze, checkNumbers, checkPassed, checkSilver, readQuarantine } from "./invariants.ts";
import type { SimulatedLake } from "./lake.ts";
import { LedgerWatch } from "./ledger.ts";
import { Mapping } from "./mapping.ts";
import { customerKey, openWorker, type Services, type Planted, type Worker } from "./pipeline.ts";
import { alertReceipt } from "./receipt.ts";
import { SilverReader, type SilverRow } from "./silver-rows.ts";
import { Stream } from "./stream.ts";
import { runToEnd, Workflows } from "./workflows.ts";
import { World } from "./world.ts";

/** Shared by histories: a PostgreSQL, DuckDB, and the hashes of facts so far. */
export interface Laboratory {
  connection: Warehouse;
  /** Empties gold and its ledgers. */
  empty(): Promise<void>;
  lake: SimulatedLake;
  hashes: Map<string, string>;
}

/** The outcome of a history. */
export interface Outcome {
  /** Each starts with the number of the violated invariant; empty if all hold. */
  violations: string[];
  coverage: Coverage;
  steps: number;
  /** The final contents of silver, the quarantine and gold, which are equal for equal histories. */
  digest: string;
  drawn: readonly number[];
  trace: readonly string[];
}

/** The share of histories that also compute the real receipt, per cent; it costs as much as everything else. */
const verified = 2;
/** The share of histories whose records are also refined in another order of arrival, per cent. */
const reordered = 25;
/** The share of calm periods with an object that ends every run that reads it, per cent. */
const poisoned = 20;
const mostPoisonedRuns = 40;
/** The share of requests that fail in a history, per cent. */
const rates = [0, 4, 8, 8, 15, 30];

/** Runs one history and checks the invariants: a storm, then calm until everything is done, then everything again. */
export async function runHistory(
  choices: Choices,
  laboratory: Laboratory,
  { isTraced = false, planted = (store) => store }: { isTraced?: boolean; planted?: Planted } = {},
): Promise<Outcome> {
  const world = new World(choices, isTraced);
  const history = new History(world, laboratory, planted);
  const violations = await history.run();
  return {
    violations,
    coverage: { faults: world.faults.faults, guards: world.faults.guards },
    steps: world.scheduler.taken,
    digest: history.digest,
    drawn: choices.drawn,
    trace: world.faults.trace ?? [],
  };
}

class History {
  digest = "";
  private readonly world: World;
  private readonly laboratory: Laboratory;
  private readonly store = createMemoryStore();
  private readonly onFailure = createMemoryStore();
  private readonly reader = new SilverReader(this.store.objects);
  private readonly services: Services;
  private readonly ledger: LedgerWatch;
  private readonly truth: Worker;

  constructor(world: World, laboratory: Laboratory, planted: Planted) {
    this.world = world;
    this.laboratory = laboratory;
    const { connection, lake, hashes } = laboratory;
    const afterCall = async (sql: string) => {
      if (/publish_(windows|customers)/.test(sql)) await this.ledger.look();
    };
    this.services = {
      planted,
      objects: this.store.objects,
      onFailure: this.onFailure.objects,
      server: { connection, callsToFail: 0, afterCall },
      lake,
    };
    // A passive observer: its requests cannot fail and take no steps.
    this.truth = openWorker(world, this.services, { store: this.store });
    this.ledger = new LedgerWatch({ connection, silver: this.truth.refinery.silver, reader: this.reader, hashes });
  }

  async run(): Promise<string[]> {
    const { world, laboratory } = this;
    await laboratory.empty();
    laboratory.lake.begin(this.store.objects);
    world.faults.rate = world.choices.pick(rates);
    try {
      const stream = new Stream(world);
      const afterStorm = await this.storm(stream);
      if (afterStorm.length > 0) return afterStorm;
      world.faults.note("--- calm");
      await this.calm();
      return await this.check(stream);
    } catch (error) {
      return [`0: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`];
    }
  }

  private async storm(stream: Stream): Promise<string[]> {
    const { world, services } = this;
    const mapping = new Mapping(world, stream, services);
    const workflows = new Workflows(world, services);
    const timers = Array.from({ length: world.choices.pick([1, 2, 2, 3]) }, () => workflows.startNowAndThen());
    await this.toTheEnd(stream.produce(), mapping.run(), ...timers);
    world.faults.rate = 0;
    services.server.callsToFail = 0;
    return [...(await checkPassed(mapping.passed(), this.store, this.onFailure.objects)), ...this.ledger.violations];
  }

  /** Runs everything to completion without faults, but for an object that no run gets through, until it is repaired. */
  private async calm(): Promise<void> {
    const { world, services } = this;
    if (world.choices.chance(poisoned)) await this.poison();
    const worker = openWorker(world, services);
    await this.toTheEnd(runToEnd(worker, "bronze_to_silver"));
    // Beside the poisoned object, one that ended several runs during the storm by bad luck may be set aside.
    let broughtBack = 0;
    await this.toTheEnd(bringBackObjects(worker.refinery.silver).then((keys) => void (broughtBack = keys.length)));
    world.faults.acted("silver: object is set aside and retried", broughtBack);
    if (broughtBack > 0) await this.toTheEnd(runToEnd(worker, "bronze_to_silver"));
    await this.toTheEnd(runToEnd(worker, "silver_to_gold"));
  }

  /** An object that silver has not consumed ends every run that reads it, until it is set aside. */
  private async poison(): Promise<void> {
    const { world, services, store } = this;
    const { silver } = this.truth.refinery;
    const [now, horizonMs] = [world.clock(), 48 * 3_600_000];
    const snapshot = await silver.snapshot();
    const { objects } = await listPending({ store, stream: orderStream, snapshot }, { now, sweep: "full", horizonMs });
    if (objects.length === 0) return;
    world.poison = world.choices.pick(objects).key;
    world.faults.fired("store: object crashes every process that reads it");
    for (let run = 0; !keysSetAside(await silver.snapshot()).includes(world.poison); run++) {
      if (run === mostPoisonedRuns) throw new Error(`${world.poison} is not set aside`);
      const worker = openWorker(world, services);
      const work = worker.process.untilDeath(runToEnd(worker, "bronze_to_silver"));
      await this.toTheEnd(work.catch(() => {}));
      world.wait(2 * 60_000);
    }
    world.poison = undefined;
  }

  private async toTheEnd(...work: Promise<void>[]): Promise<void> {
    let isDone = false;
    const all = Promise.all(work).then(() => (isDone = true));
    // An error is thrown below, once the others have finished.
    all.catch(() => (isDone = true));
    await this.world.scheduler.run();
    if (!isDone) throw new Error("the history stands still");
    await all;
  }

  private async check(stream: Stream): Promise<string[]> {
    const before = await this.content();
    const violations = [
      ...(await checkBronze(stream.records, this.store)),
      ...(this.onFailure.objects.size === 0 ? [] : ["1: batches are left in the on-failure store"]),
      ...checkSilver(stream.records, before.rows, before.rejected),
      ...(await checkNumbers(stream.neverSent, this.store)),
      ...differences(numbersOf(before.gold), goldOf(before.rows)).map((difference) => `6: ${difference}`),
    ];
    for (const { reason } of before.rejected) {
      if (reason === "conflicting_payload") this.world.faults.acted("silver: conflicting payload is rejected");
      if (reason === "ordered_at_changed") this.world.faults.acted("silver: changed order time is rejected");
    }
    const missing = [...stream.neverSent.values()].flat().length;
    this.world.faults.acted("verify: reports a number that was never sent", missing);
    this.digest = before.digest;
    if (this.world.choices.chance(verified)) violations.push(...(await this.receipt(stream)));
    if (this.world.choices.chance(reordered)) violations.push(...(await this.otherOrder(stream, before.rows)));
    violations.push(...(await this.replay(stream, before.digest)), ...this.ledger.violations);
    return violations;
  }

  /** Invariant 3: the same records in another order of arrival and in other batches produce the same silver. */
  private async otherOrder(stream: Stream, rows: readonly SilverRow[]): Promise<string[]> {
    const { choices, clock, faults } = this.world;
    const store = createMemoryStore();
    const left = [...stream.records];
    while (left.length > 0) {
      const [record] = left.splice(choices.below(left.length), 1);
      await landRecords({ store, stream: orderStream, clock }, [record!]);
      if (choices.chance(30)) await this.refineAll(store);
    }
    await this.refineAll(store);
    faults.acted("silver: same rows after another order of arrival");
    const again = await new SilverReader(store.objects).rows(await openSilver({ store, clock }).snapshot());
    const contentOf = (all: readonly SilverRow[]) =>
      all.map((row) => Object.values({ ...row, position: "" }).join(" "));
    const [one, other] = [contentOf(rows), contentOf(again)];
    return [
      ...one.filter((row) => !other.includes(row)).map((row) => `3: only in the order in which they came: ${row}`),
      ...other.filter((row) => !one.includes(row)).map((row) => `3: only in another order: ${row}`),
    ];
  }

  private async refineAll(store: ObjectStore): Promise<void> {
    const { clock } = this.world;
    const tables = { silver: openSilver({ store, clock }), quarantine: openQuarantine({ store, clock }) };
    const maxEvents = this.world.choices.pick([1, 4, 1000]);
    const refinery = { ...tables, store, stream: orderStream, catalog, customerKey, clock };
    while ((await refineSilver(refinery, { maxEvents })).remaining > 0);
  }

  private async receipt(stream: Stream): Promise<string[]> {
    const { connection, lake } = this.laboratory;
    const findings = await alertReceipt({ ...this.truth.refinery, lake, warehouse: connection }, stream);
    if (findings.length === 0) this.world.faults.acted("verify: receipt balances");
    return findings;
  }

  /** Invariant 8: a part of the stream lands again in other batches, and is processed into gold again. */
  private async replay(stream: Stream, before: string): Promise<string[]> {
    const { choices, clock, faults } = this.world;
    faults.note("--- replay");
    for (const { records } of stream.shards) {
      const again = records.slice(choices.below(records.length + 1));
      if (again.length > 0) await landRecords({ store: this.store, stream: orderStream, clock }, again);
    }
    await this.calm();
    const { digest } = await this.content();
    const [was, is] = [before.split("\n"), digest.split("\n")];
    const changes = [...was.filter((line) => !is.includes(line)), "->", ...is.filter((line) => !was.includes(line))];
    return digest === before ? [] : [`8: a replay has changed: ${changes.join("\n")}`];
  }

  private async content() {
    const { silver, quarantine } = this.truth.refinery;
    const rows = await this.reader.rows(await silver.snapshot());
    const rejected = await readQuarantine(quarantine, this.store.objects);
    const { connection } = this.laboratory;
    const gold = await readGold(connection);
    const shown = Object.entries(gold).flatMap(([table, cells]) =>
      cells.map((row) => `${table} ${JSON.stringify(row)}`),
    );
    const lines = rows.map((row) => Object.values(row).join(" ")).toSorted();
    const services = rejected.map(({ position, reason }) => `${position} ${reason}`).toSorted();
    return { rows, rejected, gold, digest: [...shown.toSorted(), ...lines, ...services].join("\n") };
  }
}
