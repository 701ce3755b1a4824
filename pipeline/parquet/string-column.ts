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
import { encodeIndices, type EncodedColumn, type Page } from "./encoding.ts";

/** The four-byte length prefix of each short text, as text. */
const lengths = Array.from({ length: 128 }, (_, length) => `${String.fromCharCode(length)}\0\0\0`);
/** Maximum length of a text in statistics, in UTF-16 units: long enough to prune by, short enough for the log. */
const statisticsLength = 32;

/** After this many distinct values, a column that hardly repeated any is treated as a key, without further lookups. */
const trialSize = 1 << 9;
const leastRepeats = 1.01;
const pageBytes = 1 << 20;

/** A column of strings. Lone surrogates become U+FFFD, because UTF-8 cannot encode them. */
export class StringColumn implements ColumnBuffer {
  private readonly name: string;
  private readonly presence: Presence | undefined;
  /** The distinct values while `known` exists; after that, one value per run of equal rows. */
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

  /** Returns the dictionary index of a text that will be pushed often, for `pushIndex`. */
  dictionaryIndex(value: string): number {
    this.intern(value);
    return this.lastIndex;
  }

  /** Pushes the text with this dictionary index, without a lookup. */
  pushIndex(index: number, times = 1): void {
    this.presence?.push(true, times);
    this.append(index, times);
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

  /** Estimates the bytes of the values without a dictionary. */
  private plainSize(start: number, end: number): number {
    let size = (end - start) * 4;
    for (let row = start; row < end; row++) size += this.texts[this.indices[row]!]!.length;
    return size;
  }

  /** Whether a dictionary pays: compression finds repeats too, so a dictionary must halve the column. */
  private dictionaryPays(values: number, plainSize: number): boolean {
    if (this.known === undefined) return false;
    const width = this.texts.length <= 0x100 ? 1 : this.texts.length <= 0x10000 ? 2 : 3;
    const dictionarySize = this.texts.reduce((size, text) => size + text.length + 4, 0);
    return dictionarySize + values * width < plainSize / 2;
  }
}

/** Encodes texts, selected by index, as PLAIN byte arrays: a four-byte length, then the UTF-8 bytes. */
function plainTexts(indices: Uint32Array, texts: readonly string[]): Uint8Array {
  return shortAsciiTexts(indices, texts) ?? anyTexts(indices, texts);
}

/** If every text is short ASCII, the length prefixes are ASCII too, and the page can be encoded as one string. */
function shortAsciiTexts(indices: Uint32Array, texts: readonly string[]): Uint8Array | undefined {
  let page = "";
  for (const index of indices) {
    const text = texts[index]!;
    if (text.length > 127) return undefined;
    page += lengths[text.length]! + text;
  }
  const body = Buffer.from(page);
  return body.length === page.length ? body : undefined;
}

function anyTexts(indices: Uint32Array, texts: readonly string[]): Uint8Array {
  const encoded = Array.from(indices, (index) => Buffer.from(texts[index]!));
  const body = Buffer.alloc(encoded.reduce((size, { length }) => size + 4 + length, 0));
  let offset = 0;
  for (const text of encoded) {
    body.writeUInt32LE(text.length, offset);
    body.set(text, offset + 4);
    offset += 4 + text.length;
  }
  return body;
}

/** Compares two well-formed texts by their UTF-8 bytes, as Parquet and Delta do. */
export function compareText(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) return codePointRank(a) - codePointRank(b);
  }
  return left.length - right.length;
}

/** UTF-16 sorts surrogate pairs before U+E000, UTF-8 sorts them after U+FFFF: swaps the two ranges. */
function codePointRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

/** Returns a short text that is less than or equal to `text`. */
export function lowerBound(text: string): string {
  return text.slice(0, cutAt(text));
}

/** Returns a short text that is greater than or equal to `text`, or `text` itself if there is no such short text. */
export function upperBound(text: string): string {
  const cut = cutAt(text);
  if (cut === text.length || text.codePointAt(cut) === 0x10ffff) return text;
  return `${text.slice(0, cut)}\u{10ffff}`;
}

function cutAt(text: string): number {
  if (text.length <= statisticsLength) return text.length;
  const isInsidePair = (text.charCodeAt(statisticsLength) & 0xfc00) === 0xdc00;
  return isInsidePair ? statisticsLength - 1 : statisticsLength;
}
