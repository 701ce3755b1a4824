import { badValue, pageRows, type Bounds, type ColumnBuffer } from "./column-buffer.ts";
import { encodeIndices, type EncodedColumn, type Page } from "./page-encoding.ts";
import { encodePages, moveInto, Presence, valueRange } from "./presence.ts";
import { plainTexts } from "./plain-texts.ts";
import { compareText, lowerBound, upperBound } from "./text-order.ts";

/** After so many distinct values a column that hardly repeated one is taken for a key, and no longer looks them up. */
const trialSize = 1 << 9;
const leastRepeats = 1.01;
const pageBytes = 1 << 20;

/** A column of strings. Lone surrogates become U+FFFD, as in every UTF-8 text. */
export class StringColumn implements ColumnBuffer {
  private readonly name: string;
  private readonly presence: Presence | undefined;
  /** Distinct values while `known` is kept, afterwards one for each run of equal rows. */
  private readonly texts: string[] = [];
  private known: Map<string, number> | undefined = new Map();
  private indices: Uint32Array;
  private length = 0;
  private lookups = 0;
  private last: string | undefined;
  private lastIndex = 0;

  constructor(name: string, nullable: boolean, room: number) {
    this.name = name;
    this.presence = nullable ? new Presence(room) : undefined;
    this.indices = new Uint32Array(room);
  }

  get rows(): number {
    return this.presence?.rows ?? this.length;
  }

  get nulls(): number {
    return this.rows - this.length;
  }

  push(value: string | null, times = 1): void {
    if (this.presence !== undefined) {
      this.presence.push(value !== null, times);
      if (value === null) return;
    }
    if (value !== this.last) this.intern(value!);
    this.append(this.lastIndex, times);
  }

  /** The place of a text that is going to be pushed often, for `pushPlace`. */
  placeOf(value: string): number {
    this.intern(value);
    return this.lastIndex;
  }

  /** Pushes the text that has this place; it saves looking the text up. */
  pushPlace(place: number, times = 1): void {
    this.presence?.push(true, times);
    this.append(place, times);
  }

  encode(from: number, to: number): EncodedColumn {
    const [first, end] = valueRange(this.presence, from, to);
    const nullCount = to - from - (end - first);
    const size = this.plainSize(first, end);
    if (!this.dictionaryPays(end - first, size)) {
      const rows = Math.max(1, Math.min(pageRows, Math.floor(((to - from) * pageBytes) / Math.max(1, size))));
      return { pages: this.pages(from, to, rows, (indices) => plainTexts(indices, this.texts)), nullCount };
    }
    const dictionary = { count: this.texts.length, body: plainTexts(Uint32Array.from(this.texts.keys()), this.texts) };
    return {
      dictionary,
      pages: this.pages(from, to, pageRows, (indices) => encodeIndices(indices, dictionary.count)),
      nullCount,
    };
  }

  bounds(from: number, to: number): Bounds | undefined {
    const [start, end] = valueRange(this.presence, from, to);
    if (start === end) return undefined;
    let min = this.texts[this.indices[start]!]!;
    let max = min;
    for (let row = start + 1; row < end; row++) {
      if (this.indices[row] === this.indices[row - 1]) continue;
      const text = this.texts[this.indices[row]!]!;
      if (compareText(text, max) > 0) max = text;
      else if (compareText(text, min) < 0) min = text;
    }
    return { min: lowerBound(min), max: upperBound(max) };
  }

  private append(index: number, times: number): void {
    const end = this.length + times;
    if (end > this.indices.length) this.indices = moveInto(new Uint32Array(end * 2), this.indices);
    while (this.length < end) this.indices[this.length++] = index;
  }

  private intern(value: string): void {
    if (typeof value !== "string") throw badValue(this.name, value, "a string");
    this.last = value;
    this.lookups++;
    this.lastIndex = this.known?.get(value) ?? this.add(value.isWellFormed() ? value : value.toWellFormed());
  }

  private add(text: string): number {
    const index = this.texts.push(text) - 1;
    this.known?.set(text, index);
    if (this.texts.length === trialSize && this.lookups < trialSize * leastRepeats) this.known = undefined;
    return index;
  }

  private pages(from: number, to: number, size: number, encode: (indices: Uint32Array) => Uint8Array): Page[] {
    return encodePages({ presence: this.presence, from, to, size }, (start, end) =>
      encode(this.indices.subarray(start, end)),
    );
  }

  /** About as many bytes as the values take without a dictionary. */
  private plainSize(start: number, end: number): number {
    let size = (end - start) * 4;
    for (let row = start; row < end; row++) size += this.texts[this.indices[row]!]!.length;
    return size;
  }

  /** Compression finds repeats too, so a dictionary has to halve the column to be worth its page. */
  private dictionaryPays(values: number, plainSize: number): boolean {
    if (this.known === undefined) return false;
    const width = this.texts.length <= 0x100 ? 1 : this.texts.length <= 0x10000 ? 2 : 3;
    const dictionarySize = this.texts.reduce((size, text) => size + text.length + 4, 0);
    return dictionarySize + values * width < plainSize / 2;
  }
}
