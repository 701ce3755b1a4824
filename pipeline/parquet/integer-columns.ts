import {
  badValue,
  pageRows,
  type Bounds,
  type ColumnBuffer,
  encodePages,
  moveInto,
  Presence,
  valueRange,
} from "./column.ts";
import { encodeIndices, type EncodedColumn } from "./encoding.ts";

const wordSize = 2 ** 32;

/** Maximum range of values for a dictionary, which is built with a lookup table of this size. */
const tableSize = 1 << 16;
const table = new Uint32Array(tableSize);
/** With fewer rows, a dictionary page costs more bytes and time than it saves. */
const fewestRows = 512;

/** A column of 32-bit integers. */
export class IntColumn implements ColumnBuffer {
  private readonly name: string;
  private readonly presence: Presence | undefined;
  private values: Int32Array;
  private length = 0;

  constructor(name: string, nullable: boolean, room: number) {
    this.name = name;
    this.presence = nullable ? new Presence(room) : undefined;
    this.values = new Int32Array(room);
  }

  get rows(): number {
    return this.presence?.rows ?? this.length;
  }

  get nulls(): number {
    return this.rows - this.length;
  }

  push(value: number | null, times = 1): void {
    if (this.presence !== undefined) {
      this.presence.push(value !== null, times);
      if (value === null) return;
    }
    if ((value! | 0) !== value) throw badValue(this.name, value, "a 32-bit integer");
    const end = this.length + times;
    if (end > this.values.length) this.values = moveInto(new Int32Array(end * 2), this.values);
    while (this.length < end) this.values[this.length++] = value;
  }

  encode(from: number, to: number): EncodedColumn {
    const values = this.slice(from, to);
    const nullCount = to - from - values.length;
    const distinct = indexDistinct(values);
    const range = { presence: this.presence, from, to, size: pageRows };
    const [first] = valueRange(this.presence, from, from);
    if (distinct === undefined) {
      return { pages: encodePages(range, (start, end) => bytesOf(this.values.subarray(start, end))), nullCount };
    }
    const { indices } = distinct;
    const count = distinct.values.length;
    const pages = encodePages(range, (start, end) =>
      encodeIndices(indices.subarray(start - first, end - first), count),
    );
    return { dictionary: { count, body: bytesOf(Int32Array.from(distinct.values)) }, pages, nullCount };
  }

  bounds(from: number, to: number): Bounds | undefined {
    const values = this.slice(from, to);
    return values.length === 0 ? undefined : extremes(values);
  }

  private slice(from: number, to: number): Int32Array {
    return this.values.subarray(...valueRange(this.presence, from, to));
  }
}

function extremes(values: Int32Array): { min: number; max: number } {
  let min = values[0] ?? 0;
  let max = min;
  for (const value of values) {
    if (value < min) min = value;
    else if (value > max) max = value;
  }
  return { min, max };
}

/** Returns the distinct values in order of appearance and each row's index; undefined if a dictionary does not pay. */
function indexDistinct(values: Int32Array): { values: number[]; indices: Uint32Array } | undefined {
  const { min, max } = extremes(values);
  if (max - min >= tableSize) return undefined;
  const indices = new Uint32Array(values.length);
  const distinct: number[] = [];
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    const slot = value - min;
    let index = table[slot]!;
    if (index === 0) {
      distinct.push(value);
      index = table[slot] = distinct.length;
    }
    indices[row] = index - 1;
  }
  for (const value of distinct) table[value - min] = 0;
  const width = distinct.length <= 0x100 ? 1 : 2;
  const pays = values.length >= fewestRows && distinct.length * 4 + values.length * width < values.length * 3;
  return pays ? { values: distinct, indices } : undefined;
}

function bytesOf(values: Int32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** A column of 64-bit integers, including timestamps in microseconds. */
export class LongColumn implements ColumnBuffer {
  private readonly name: string;
  private readonly presence: Presence | undefined;
  /** Two 32-bit words per value, the low one first, so that numbers need no conversion to bigint. */
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
