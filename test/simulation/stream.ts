import type { StreamRecord } from "../../pipeline/ports.ts";
import { makeParcels, type Parcel, type SentEvent } from "./events.ts";
import { Process, type World } from "./world.ts";

/** A record in its shard, with the events that it contains. */
export interface SentRecord extends StreamRecord {
  events: readonly SentEvent[];
}

export interface Shard {
  id: string;
  parents: readonly string[];
  isClosed: boolean;
  records: SentRecord[];
}

/** The stream of one history: every acknowledged record is in one of its shards. */
export class Stream {
  readonly shards: Shard[] = [];
  /** No more records will be put. */
  isOver = false;
  /** Numbers of each till that no event has. */
  neverSent: ReadonlyMap<string, readonly number[]> = new Map();
  private readonly world: World;
  private sequenceNumber = 49_500_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000n;

  constructor(world: World) {
    this.world = world;
    for (let n = 0; n <= world.choices.below(2); n++) this.addShard([]);
  }

  get records(): SentRecord[] {
    return this.shards.flatMap(({ records }) => records);
  }

  /** Sends everything, record by record; all events of a till go to the same open shard. */
  async produce(): Promise<void> {
    const { world } = this;
    const producer = new Process("producer");
    const { parcels, neverSent } = makeParcels(world);
    this.neverSent = neverSent;
    const idle =
      this.shards.length > 1 && world.faults.draw(["stream: a shard stays idle"], 30) ? this.shards[0] : undefined;
    const longestPause = world.choices.pick([12, 60]);
    for (const parcel of parcels) {
      await world.scheduler.step(producer, () => this.put(parcel, idle), world.choices.below(longestPause));
      if (world.faults.draw(["stream: reshard"], 8)) await world.scheduler.step(producer, () => this.reshard());
    }
    this.isOver = true;
  }

  private put(parcel: Parcel, idle: Shard | undefined): void {
    const open = this.shards.filter((shard) => !shard.isClosed && shard !== idle);
    const shard = open[Number(parcel.till.at(-1)) % open.length]!;
    const times = this.world.faults.draw(["stream: response to a put is lost, record is resent"]) ? 2 : 1;
    for (let time = 0; time < times; time++) this.append(shard, parcel);
  }

  private append(shard: Shard, { data, events, till }: Parcel): void {
    // Sequence numbers of a shard increase, with gaps.
    this.sequenceNumber += BigInt(1 + this.shards.length);
    const record = { shard: shard.id, sequenceNumber: String(this.sequenceNumber), partitionKey: till };
    shard.records.push({ ...record, arrivedAt: this.world.clock(), data, events });
    this.world.faults.note(`stream: ${shard.id} takes ${record.sequenceNumber.slice(-3)} with ${events.length} events`);
  }

  /** Splits the last open shard, or merges the first two. */
  private reshard(): void {
    const open = this.shards.filter(({ isClosed }) => !isClosed);
    const closing = open.length > 1 ? open.slice(0, 2) : open;
    for (const shard of closing) shard.isClosed = true;
    for (let n = closing.length; n < 3; n++) this.addShard(closing.map(({ id }) => id));
  }

  private addShard(parents: readonly string[]): void {
    const id = `shardId-${String(this.shards.length).padStart(12, "0")}`;
    this.shards.push({ id, parents, isClosed: false, records: [] });
  }
}
