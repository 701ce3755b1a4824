import { landRecords } from "../../pipeline/bronze/land-records.ts";
import { encodeFailedBatch } from "../../pipeline/bronze/on-failure-objects.ts";
import { orderStream } from "../../pipeline/silver/tables.ts";
import { openBucket } from "./bucket.ts";
import type { Services } from "./pipeline.ts";
import type { SentRecord, Shard, Stream } from "./stream.ts";
import { Process, type World } from "./world.ts";

type Retry = "same" | "larger" | "smaller" | "split";

/** The possible retries of a failed batch, weighted by repetition; an attempt can include all records of the part. */
function waysToRetry(records: readonly SentRecord[], all: readonly SentRecord[]): readonly Retry[] {
  return [
    "same",
    ...(all.length > records.length ? (["larger", "larger"] as const) : []),
    ...(records.length > 1 ? (["smaller", "smaller", "smaller", "smaller", "split", "split", "split"] as const) : []),
  ];
}

/** The polling interval of a part without new records, in steps of others. */
const idleSteps = 4;
const mostAttempts = 4;

/** The records of a shard that are processed one batch at a time: all of them, or half with two concurrent batches. */
interface ShardPart {
  records: () => SentRecord[];
  /** Records processed so far. */
  done: number;
}

/**
 * An event source mapping with Lambda's guarantees: shards in order, parents before children, at least once, with
 * arbitrary batch boundaries and repetitions. Records that it has passed are in bronze or in the on-failure store.
 */
export class Mapping {
  private readonly parts = new Map<string, ShardPart[]>();
  private readonly finished = new Set<string>();
  private readonly world: World;
  private readonly stream: Stream;
  private readonly services: Services;

  constructor(world: World, stream: Stream, services: Services) {
    this.world = world;
    this.stream = stream;
    this.services = services;
  }

  /** Delivers until the stream has ended and everything is processed. */
  async run(): Promise<void> {
    const started = new Map<string, Promise<void>>();
    const watcher = new Process("mapping");
    while (!this.stream.isOver || started.size < this.stream.shards.length) {
      for (const shard of this.stream.shards) {
        if (started.has(shard.id) || !shard.parents.every((parent) => this.finished.has(parent))) continue;
        started.set(shard.id, this.followShard(shard));
      }
      await this.world.scheduler.step(watcher, () => {}, idleSteps);
    }
    await Promise.all(started.values());
  }

  /** The records that checkpoints have passed, which must be in bronze or in the on-failure store. */
  passed(): SentRecord[] {
    return [...this.parts.values()].flat().flatMap(({ records, done }) => records().slice(0, done));
  }

  private async followShard(shard: Shard): Promise<void> {
    const count = this.world.faults.draw(["mapping: two concurrent batches of a shard"], 15) ? 2 : 1;
    const partOf = (till: string) => Number(till.at(-1)) % count;
    const parts = Array.from({ length: count }, (_, index): ShardPart => {
      return { done: 0, records: () => shard.records.filter((record) => partOf(record.partitionKey) === index) };
    });
    this.parts.set(shard.id, parts);
    await Promise.all(
      parts.map((part, index) => this.followPart(shard, part, new Process(`poller ${shard.id}/${index}`))),
    );
    this.finished.add(shard.id);
  }

  private async followPart(shard: Shard, part: ShardPart, poller: Process): Promise<void> {
    const { choices, faults, scheduler } = this.world;
    for (;;) {
      const isEnd = shard.isClosed || this.stream.isOver;
      const waiting = part.records().length - part.done;
      if (waiting === 0 && isEnd) return;
      if (waiting === 0) {
        await scheduler.step(poller, () => {}, idleSteps);
        continue;
      }
      const batch = part.records().slice(part.done, part.done + waiting - choices.below(waiting));
      const reached = await this.deliver(part, batch, poller);
      // After a lost checkpoint, records are redelivered, possibly in other batches.
      if (faults.draw(["mapping: batch is redelivered after success"]))
        part.done = reached - 1 - choices.below(reached);
      else part.done = Math.max(part.done, reached);
    }
  }

  /** Processes a batch from the part's position; returns the position reached. */
  private async deliver(part: ShardPart, batch: readonly SentRecord[], poller: Process): Promise<number> {
    const { choices, faults } = this.world;
    const from = part.records().indexOf(batch[0]!);
    let records = batch;
    for (let attempt = 1; ; attempt++) {
      if (await this.call(records)) return from + records.length;
      if (attempt >= mostAttempts || (attempt > 1 && choices.chance(20))) {
        await this.sendToOnFailure(records, attempt, poller);
        return from + records.length;
      }
      const all = part.records().slice(from);
      const next = choices.pick(waysToRetry(records, all));
      if (next === "split") {
        faults.fired("mapping: batch is split in two");
        const middle = Math.ceil(records.length / 2);
        const half = await this.deliver(part, records.slice(0, middle), poller);
        const rest = records.slice(half - from);
        return rest.length === 0 ? half : await this.deliver(part, rest, poller);
      }
      if (next === "larger") {
        faults.fired("mapping: retry with a larger batch");
        records = all.slice(0, records.length + 1 + choices.below(all.length - records.length));
      } else if (next === "smaller") {
        faults.fired("mapping: retry with a smaller batch");
        records = records.slice(0, 1 + choices.below(records.length - 1));
      } else faults.fired("mapping: retry with the same batch");
    }
  }

  /** Invokes the landing function once; true if the mapping received a success. */
  private async call(records: readonly SentRecord[]): Promise<boolean> {
    const { world } = this;
    const lambda = world.process("landing");
    const store = this.services.planted(openBucket(world, this.services.objects, lambda));
    // Batches with several records have more kinds of retries, so they fail more often.
    const rate = world.faults.rate * (records.length > 1 ? 2 : 1);
    const fault = world.faults.draw(["mapping: call fails", "mapping: call succeeds, response is lost"], rate);
    if (fault === "mapping: call fails") return false;
    try {
      const landing = landRecords({ store, stream: orderStream, clock: world.clock }, records);
      const { created } = await lambda.untilDeath(landing);
      if (!created) world.faults.acted("bronze: object exists already");
      return fault === undefined;
    } catch {
      return false;
    }
  }

  private async sendToOnFailure(records: readonly SentRecord[], invokeCount: number, poller: Process): Promise<void> {
    const { world } = this;
    world.faults.fired("mapping: batch is sent to the on-failure destination");
    const { key, body } = encodeFailedBatch({
      name: "landing",
      streamArn: "arn:aws:kinesis:local:000000000000:stream/orders",
      functionArn: "arn:aws:lambda:local:000000000000:function:landing",
      records,
      condition: "RetryAttemptsExhausted",
      invokeCount,
      failedAt: world.clock(),
    });
    // The mapping is part of Lambda: it retries until the on-failure store has the batch.
    await world.scheduler.step(poller, () => void this.services.onFailure.set(key, body));
  }
}
