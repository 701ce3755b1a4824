const [tab, newline, carriageReturn, space] = [9, 10, 13, 32];
const [quote, backslash, comma, colon] = [34, 92, 44, 58];
const [openBrace, closeBrace, openBracket, closeBracket] = [123, 125, 91, 93];

/** Deeper texts are left to the JSON parser and its limit; the open objects fit into the bits of one number. */
const mostLevels = 31;

/** Where a JSON object or array ends, or where its structure breaks. */
export interface JsonText {
  /** End (exclusive), or -1. */
  end: number;
  /** If it does not end: the offset of the byte that cannot follow. */
  brokenAt: number;
  /** If it is a non-empty array of objects: start and end of each of them. */
  objects: readonly (readonly [start: number, end: number])[];
}

/** What may come next. */
type Expected = "key or end" | "key" | "colon" | "value or end" | "value" | "comma or end";

/**
 * Finds the end of the JSON object or array that begins at `start`. It checks the structure, and not numbers, literals
 * and escapes, so a text that it takes may still be invalid JSON. Text cannot contain control characters, so a string
 * that is cut off ends with its line. At most `mostObjects` objects of an array are listed.
 */
export function readJsonText(bytes: Uint8Array, start: number, mostObjects: number): JsonText {
  const objects: [number, number][] = [];
  let isArrayOfObjects = bytes[start] === openBracket;
  let level = 0;
  /** Bit n is set if level n is an object. */
  let kinds = 0;
  let expected: Expected = "value";
  let objectStart = 0;
  let at = start;
  for (; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte === space || byte === newline || byte === carriageReturn || byte === tab) continue;
    const isObject = (kinds & (1 << level)) !== 0;
    if (byte === quote) {
      const isKey: boolean = expected === "key" || expected === "key or end";
      if (!isKey && expected !== "value" && expected !== "value or end") break;
      if (level === 1) isArrayOfObjects &&= isKey;
      at = endOfString(bytes, at);
      if (bytes[at] !== quote) break;
      expected = isKey ? "colon" : "comma or end";
    } else if (byte === colon) {
      if (expected !== "colon") break;
      expected = "value";
    } else if (byte === comma) {
      if (expected !== "comma or end") break;
      expected = isObject ? "key" : "value";
    } else if (byte === openBrace || byte === openBracket) {
      if ((expected !== "value" && expected !== "value or end") || level === mostLevels - 1) break;
      if (level === 1) isArrayOfObjects &&= byte === openBrace;
      if (level === 1) objectStart = at;
      level++;
      kinds = byte === openBrace ? kinds | (1 << level) : kinds & ~(1 << level);
      expected = byte === openBrace ? "key or end" : "value or end";
    } else if (byte === closeBrace || byte === closeBracket) {
      const isEmpty = expected === "key or end" || expected === "value or end";
      if ((!isEmpty && expected !== "comma or end") || isObject !== (byte === closeBrace)) break;
      level--;
      if (level === 0) return { end: at + 1, brokenAt: -1, objects: isArrayOfObjects ? objects : [] };
      if (level === 1 && isArrayOfObjects && objects.length < mostObjects) objects.push([objectStart, at + 1]);
      expected = "comma or end";
    } else {
      if (byte < space || (expected !== "value" && expected !== "value or end")) break;
      if (level === 1) isArrayOfObjects = false;
      at = endOfScalar(bytes, at) - 1;
      expected = "comma or end";
    }
  }
  return { end: -1, brokenAt: at, objects: [] };
}

/** Returns the offset of a string's closing quote, or of the control character or end that cuts it off. */
function endOfString(bytes: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < bytes.length && bytes[at] !== quote && bytes[at]! >= space) at += bytes[at] === backslash ? 2 : 1;
  return at;
}

function endOfScalar(bytes: Uint8Array, start: number): number {
  let at = start;
  for (; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte <= space || byte === comma || byte === quote || byte === colon) break;
    if (byte === openBrace || byte === closeBrace || byte === openBracket || byte === closeBracket) break;
  }
  return at;
}
