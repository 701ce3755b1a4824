import { concat, encodeLevels, type Page } from "./page-encoding.ts";

/** Which rows of a nullable column hold a value. */
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

  /** How many of the rows `[from, to)` hold a value. */
  count(from: number, to: number): number {
    let present = 0;
    for (let row = from; row < to; row++) present += this.flags[row]!;
    return present;
  }

  /** The definition levels of the rows `[from, to)`. */
  encode(from: number, to: number): Uint8Array {
    return encodeLevels(this.flags.subarray(from, to));
  }
}

/** Where the values of the rows `[from, to)` lie among a column's values, which hold no nulls. */
export function valueRange(presence: Presence | undefined, from: number, to: number): [start: number, end: number] {
  if (presence === undefined) return [from, to];
  const start = presence.count(0, from);
  return [start, start + presence.count(from, to)];
}

/** Cuts the rows `[from, to)` into pages of at most `size` rows; `encode` gives the bytes of a range of values. */
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

/** Copies a full buffer into one that is larger, and returns that. */
export function moveInto<Larger extends { set(content: ArrayLike<number>): void }>(
  larger: Larger,
  content: ArrayLike<number>,
): Larger {
  larger.set(content);
  return larger;
}
