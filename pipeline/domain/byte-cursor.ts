import { nextHash, type BytesTable } from "./bytes-table.ts";

const quote = 34;
const backslash = 92;
const dot = 46;
const zero = 48;
const closingBrace = 125;
const closingBracket = 93;

/** Bytes to compare with, as words of four bytes; the last word may overlap the one before it. */
export interface Literal {
  length: number;
  words: Int32Array;
  last: number;
}

/** Creates a literal from at least four ASCII characters. */
export function literal(text: string): Literal {
  const { buffer, byteOffset, length } = Buffer.from(text);
  const view = new DataView(buffer, byteOffset, length);
  const words = Int32Array.from({ length: length >> 2 }, (_, word) => view.getInt32(word * 4));
  return { length, words, last: view.getInt32(length - 4) };
}

/**
 * Steps over the bytes of compact JSON that is expected to have a fixed form. A mismatch sets `isLost` until the next
 * `open`. Results after that are meaningless, so callers check `isLost` once, at the end.
 */
export class ByteCursor {
  bytes: Buffer = Buffer.alloc(0);
  private view = new DataView(this.bytes.buffer, 0, 0);
  at = 0;
  isLost = false;
  /** Hash of the string that `toKnown` stepped over last. */
  private hash = 0;

  /** Starts at a byte offset. Any bytes are safe, whether or not they have the expected form. */
  open(bytes: Buffer, at: number): void {
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    this.at = at;
    this.isLost = false;
  }

  /** Steps over these bytes if they are next; returns whether they were. */
  takes({ length, words, last }: Literal): boolean {
    const { view, at } = this;
    if (at + length > view.byteLength) return false;
    for (let word = 0; word < words.length; word++) {
      if (view.getInt32(at + word * 4) !== words[word]) return false;
    }
    if (view.getInt32(at + length - 4) !== last) return false;
    this.at = at + length;
    return true;
  }

  /** Steps over these bytes, which must be next. */
  expect(expected: Literal): void {
    if (!this.takes(expected)) this.isLost = true;
  }

  /** Steps over the two braces that close a nested object. */
  expectEnd(): void {
    this.expectByte(closingBrace);
    this.expectByte(closingBrace);
  }

  /** Goes over the brace and the bracket that close the last object of an array. */
  expectEndOfArray(): void {
    this.expectByte(closingBrace);
    this.expectByte(closingBracket);
  }

  /** Goes over the quote that ends a string. */
  expectQuote(): void {
    this.expectByte(quote);
  }

  private expectByte(expected: number): void {
    if (this.bytes[this.at] !== expected) this.isLost = true;
    this.at++;
  }

  /** Reads an integer of at most 15 digits, as `JSON.stringify` writes it. */
  integer(): number {
    const { bytes, at: start } = this;
    let value = 0;
    let at = start;
    for (; at < bytes.length; at++) {
      const digit = bytes[at]! - zero;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    if (at === start || at - start > 15 || (bytes[start] === zero && at - start > 1)) this.isLost = true;
    this.at = at;
    return value;
  }

  /** Reads an amount in dollars with at most two decimals; returns cents. */
  cents(): number {
    const dollars = this.integer();
    if (this.bytes[this.at] !== dot) return dollars * 100;
    const start = this.at + 1;
    let cents = dollars;
    let at = start;
    for (; at < this.bytes.length; at++) {
      const digit = this.bytes[at]! - zero;
      if (digit < 0 || digit > 9) break;
      cents = cents * 10 + digit;
    }
    if (at === start || at - start > 2) this.isLost = true;
    this.at = at;
    return at - start === 1 ? cents * 10 : cents;
  }

  /** Steps to the closing quote of a string of at most `longest` bytes, without escapes. */
  toQuote(longest: number): void {
    const { bytes, at: start } = this;
    const end = Math.min(bytes.length, start + longest);
    let at = start;
    for (; at < end; at++) {
      const byte = bytes[at]!;
      if (byte === quote) break;
      if (byte < 32 || byte === backslash) break;
    }
    if (bytes[at] !== quote) this.isLost = true;
    this.at = at;
  }

  /** Like `toQuote`, for a non-empty string of visible ASCII. */
  toToken(longest: number): void {
    const { bytes, at: start } = this;
    const end = Math.min(bytes.length, start + longest);
    let at = start;
    for (; at < end; at++) {
      const byte = bytes[at]!;
      if (byte === quote || byte < 33 || byte > 126 || byte === backslash) break;
    }
    if (bytes[at] !== quote || at === start) this.isLost = true;
    this.at = at;
  }

  /** Like `toQuote`, and returns the string's value in a table; undefined, without being lost, if it is not there. */
  toKnown<Value>(table: BytesTable<Value>, longest: number): Value | undefined {
    const { bytes, at: start } = this;
    const end = Math.min(bytes.length, start + longest);
    let at = start;
    let hash = 0;
    for (; at < end; at++) {
      const byte = bytes[at]!;
      if (byte === quote || byte < 32 || byte === backslash) break;
      hash = nextHash(hash, byte);
    }
    if (bytes[at] !== quote || at === start) this.isLost = true;
    this.at = at;
    this.hash = hash;
    return table.find(bytes, start, at, hash);
  }

  /** Adds a value to a table under the string that `toKnown` has just stepped over, which begins at `from`. */
  remember<Value>(table: BytesTable<Value>, from: number, value: Value): void {
    table.insert(this.bytes, from, this.at, this.hash, value);
  }

  /** Returns the text between `from` and the cursor. */
  textFrom(from: number): string {
    return this.bytes.toString("utf8", from, this.at);
  }
}
