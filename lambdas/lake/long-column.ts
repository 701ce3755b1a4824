import { badValue, pageRows, type Bounds, type ColumnBuffer } from "./column-buffer.ts";
import type { EncodedColumn } from "./page-encoding.ts";
import { encodePages, moveInto, Presence, valueRange } from "./presence.ts";

const wordSize = 2 ** 32;

/** A column of 64-bit integers, timestamps in microseconds among them. */
export class LongColumn implements ColumnBuffer {
  private readonly name: string;
  private readonly presence: Presence | undefined;
  /** Two 32-bit words for each value, the low one first: filled without making a bigint of each number. */
  private words: Int32Array;
  private longs: BigInt64Array;
  private length = 0;

  constructor(name: string, nullable: boolean, room: number) {
    this.name = name;
    this.presence = nullable ? new Presence(room) : undefined;
    this.words = new Int32Array(room * 2);
    this.longs = new BigInt64Array(this.words.buffer);
  }

  get rows(): number {
    return this.presence?.rows ?? this.length;
  }

  get nulls(): number {
    return this.rows - this.length;
  }

  push(value: number | bigint | null, times = 1): void {
    if (this.presence !== undefined) {
      this.presence.push(value !== null, times);
      if (value === null) return;
    }
    const end = this.length + times;
    if (end > this.longs.length) {
      this.words = moveInto(new Int32Array(end * 4), this.words);
      this.longs = new BigInt64Array(this.words.buffer);
    }
    if (typeof value === "number") this.setNumber(value);
    else this.setBigInt(value!);
    const first = this.length * 2;
    for (let word = first + 2; word < end * 2; word++) this.words[word] = this.words[word - 2]!;
    this.length = end;
  }

  encode(from: number, to: number): EncodedColumn {
    const pages = encodePages(
      { presence: this.presence, from, to, size: pageRows },
      (start, end) => new Uint8Array(this.words.buffer, start * 8, (end - start) * 8),
    );
    const [start, end] = valueRange(this.presence, from, to);
    return { pages, nullCount: to - from - (end - start) };
  }

  bounds(from: number, to: number): Bounds | undefined {
    const [start, end] = valueRange(this.presence, from, to);
    let min = Infinity;
    let max = -Infinity;
    for (let index = start; index < end; index++) {
      const value = this.words[index * 2 + 1]! * wordSize + (this.words[index * 2]! >>> 0);
      if (value < min) min = value;
      if (value > max) max = value;
    }
    return start === end ? undefined : { min, max };
  }

  private setNumber(value: number): void {
    if (!Number.isSafeInteger(value)) throw badValue(this.name, value, "a safe integer");
    this.words[this.length * 2] = value;
    this.words[this.length * 2 + 1] = Math.floor(value / wordSize);
  }

  private setBigInt(value: bigint): void {
    if (typeof value !== "bigint") throw badValue(this.name, value, "an integer");
    this.longs[this.length] = value;
    if (this.longs[this.length] !== value) throw badValue(this.name, value, "a 64-bit integer");
  }
}
