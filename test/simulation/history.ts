import type { Warehouse } from "../../pipeline/ports.ts";
import { landRecords } from "../../pipeline/bronze/land-records.ts";
import { orderStream } from "../../pipeline/silver/tables.ts";
import { createMemoryStore } from "../pipeline/delta/memory-store.ts";
import type { Choices } from "./choices.ts";
import type { Coverage } from "./coverage.ts";
import { differences, goldOf, numbersOf, readGold } from "./gold-rows.ts";
import { checkBronze, checkNumbers, checkPassed, checkSilver, readQuarantine } from "./invariants.ts";
import type { SimulatedLake } from "./lake.ts";
import { LedgerWatch } from "./ledger.ts";
import { Mapping } from "./mapping.ts";
import { openWorker, type Places, type Planted, type Worker } from "./pipeline.ts";
import { alertReceipt } from "./receipt.ts";
import { SilverReader } from "./silver-rows.ts";
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
  private readonly places: Places;
  private readonly ledger: LedgerWatch;
  private readonly truth: Worker;

  constructor(world: World, laboratory: Laboratory, planted: Planted) {
    this.world = world;
    this.laboratory = laboratory;
    const { connection, lake, hashes } = laboratory;
    const afterCall = async (sql: string) => {
      if (/publish_(windows|customers)/.test(sql)) await this.ledger.look();
    };
    this.places = {
      planted,
      objects: this.store.objects,
      onFailure: this.onFailure.objects,
      server: { connection, callsToFail: 0, afterCall },
      lake,
    };
    // A passive observer: its requests cannot fail and take no steps.
    this.truth = openWorker(world, this.places, { store: this.store });
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
    const { world, places } = this;
    const mapping = new Mapping(world, stream, places);
    const workflows = new Workflows(world, places);
    const timers = Array.from({ length: world.choices.pick([1, 2, 2, 3]) }, () => workflows.startNowAndThen());
    await this.toTheEnd(stream.produce(), mapping.run(), ...timers);
    world.faults.rate = 0;
    places.server.callsToFail = 0;
    return [...(await checkPassed(mapping.passed(), this.store, this.onFailure.objects)), ...this.ledger.violations];
  }

  /** Runs everything to completion without faults. */
  private async calm(): Promise<void> {
    const worker = openWorker(this.world, this.places);
    await this.toTheEnd(runToEnd(worker, "bronze_to_silver"));
    await this.toTheEnd(runToEnd(worker, "silver_to_gold"));
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
      if (reason === "conflicting_payload") this.world.faults.acted("silver: other payload refused");
      if (reason === "ordered_at_changed") this.world.faults.acted("silver: change of time refused");
    }
    const missing = [...stream.neverSent.values()].flat().length;
    this.world.faults.acted("verify: number that was never sent named", missing);
    this.digest = before.digest;
    if (this.world.choices.chance(verified)) violations.push(...(await this.receipt(stream)));
    violations.push(...(await this.replay(stream, before.digest)), ...this.ledger.violations);
    return violations;
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
    const places = rejected.map(({ position, reason }) => `${position} ${reason}`).toSorted();
    return { rows, rejected, gold, digest: [...shown.toSorted(), ...lines, ...places].join("\n") };
  }
}
