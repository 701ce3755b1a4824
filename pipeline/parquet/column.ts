import { concat, encodeLevels, type Page, type EncodedColumn, packBits } from "./encoding.ts";

/** Tracks which rows of a nullable column have a value. */
export class Presence {
  rows = 0;
  private flags: Uint8Array;

  constructor(room: number) {
    this.flags = new Uint8Array(room);
  }

  push(isPresent: boolean, times: number): void {
    const end = this.rows + times;
    if (end > this.flags.length) this.flags = moveInto(new Uint8Array(end * 2), this.flags);
    while (this.rows < end) this.flags[this.rows++] = isPresent ? 1 : 0;
  }

  /** Returns how many of the rows `[from, to)` have a value. */
  count(from: number, to: number): number {
    let present = 0;
    for (let row = from; row < to; row++) present += this.flags[row]!;
    return present;
  }

  /** Encodes the definition levels of the rows `[from, to)`. */
  encode(from: number, to: number): Uint8Array {
    return encodeLevels(this.flags.subarray(from, to));
  }
}

/** Returns the range of the rows `[from, to)` in a column's values, which contain no nulls. */
export function valueRange(presence: Presence | undefined, from: number, to: number): [start: number, end: number] {
  if (presence === undefined) return [from, to];
  const start = presence.count(0, from);
  return [start, start + presence.count(from, to)];
}

/** Splits the rows `[from, to)` into pages of at most `size` rows; `encode` returns the bytes of a range of values. */
export function encodePages(
  { presence, from, to, size }: { presence: Presence | undefined; from: number; to: number; size: number },
  encode: (start: number, end: number) => Uint8Array,
): Page[] {
  const pages: Page[] = [];
  let [start] = valueRange(presence, from, from);
  for (let first = from; first < to; first += size) {
    const rows = Math.min(size, to - first);
    const end = start + (presence?.count(first, first + rows) ?? rows);
    const body = encode(start, end);
    pages.push({ rows, body: presence === undefined ? body : concat([presence.encode(first, first + rows), body]) });
    start = end;
  }
  return pages;
}

/** Copies a full buffer into a larger one, and returns the larger one. */
export function moveInto<Larger extends { set(content: ArrayLike<number>): void }>(
  larger: Larger,
  content: ArrayLike<number>,
): Larger {
  larger.set(content);
  return larger;
}

/** The bounds of some rows. Long texts are truncated in a way that still bounds the rows. */
export interface Bounds {
  min: string | number;
  max: string | number;
}

/** Whether bounds may be written as statistics: a number outside the safe integers is not exact. */
export function areUsable({ min, max }: Bounds): boolean {
  return typeof min === "string" || (Number.isSafeInteger(min) && Number.isSafeInteger(max));
}

/** The buffered rows of one column. */
export interface ColumnBuffer {
  readonly rows: number;
  readonly nulls: number;
  /** Encodes the rows `[from, to)`. */
  encode(from: number, to: number): EncodedColumn;
  /** Returns the bounds of the rows `[from, to)`; undefined if they have no value. */
  bounds(from: number, to: number): Bounds | undefined;
}

/** Rows per page of fixed-width values. */
export const pageRows = 1 << 17;

/** Creates the error for a value that does not fit its column's type. */
export function badValue(column: string, value: unknown, expected: string): Error {
  return new Error(`column ${column}: ${String(value)} is not ${expected}; correct the value before it is written`);
}

/** A column of booleans. */
export class BooleanColumn implements ColumnBuffer {
  private readonly name: string;
  private readonly presence: Presence | undefined;
  private values: Uint8Array;
  private length = 0;

  constructor(name: string, nullable: boolean, room: number) {
    this.name = name;
    this.presence = nullable ? new Presence(room) : undefined;
    this.values = new Uint8Array(room);
  }

  get rows(): number {
    return this.presence?.rows ?? this.length;
  }

  get nulls(): number {
    return this.rows - this.length;
  }

  push(value: boolean | null, times = 1): void {
    if (this.presence !== undefined) {
      this.presence.push(value !== null, times);
      if (value === null) return;
    }
    if (typeof value !== "boolean") throw badValue(this.name, value, "a boolean");
    const end = this.length + times;
    if (end > this.values.length) this.values = moveInto(new Uint8Array(end * 2), this.values);
    while (this.length < end) this.values[this.length++] = value ? 1 : 0;
  }

  encode(from: number, to: number): EncodedColumn {
    const pages = encodePages({ presence: this.presence, from, to, size: pageRows }, (start, end) =>
      packBits(this.values.subarray(start, end)),
    );
    const [start, end] = valueRange(this.presence, from, to);
    return { pages, nullCount: to - from - (end - start) };
  }

  bounds(): undefined {
    return undefined;
  }
}
