import type { Catalog } from "./catalog.ts";
import { parseInstant } from "./parse-instant.ts";
import { salvagedFields } from "./sequence-gaps.ts";

type Test = (value: unknown, catalog: Catalog) => boolean;

const wholeFrom =
  (min: number, max: number): Test =>
  (value) =>
    Number.isInteger(value) && Number(value) >= min && Number(value) <= max;
const oneOf =
  (...words: unknown[]): Test =>
  (value) =>
    words.includes(value);
/** The length as JSON Schema counts it, in code points. */
const characters = (text: string): number => Array.from(text).length;
const word =
  (longest: number): Test =>
  (value) =>
    typeof value === "string" && characters(value) <= longest && /^[\x21-\x7e]+$/.test(value);
const instant: Test = (value) => typeof value === "string" && parseInstant(value) !== undefined;
const dollars: Test = (value) => typeof value === "number" && value >= 0 && value <= 10_000;

/** The fields that identify no person, if their value satisfies the contract; all other values are replaced. */
const harmless: ReadonlyMap<string, Test> = new Map([
  ["schema_version", oneOf(1, 2)],
  ["order_id", word(64)],
  ["revision", wholeFrom(0, 1_000_000)],
  ["status", oneOf("placed", "amended", "cancelled", "refunded")],
  ["ordered_at", instant],
  ["emitted_at", instant],
  ["store_id", (value, { stores }) => stores.has(value as string)],
  ["channel", oneOf("dine_in", "takeaway", "delivery", "online")],
  ["promotion_code", word(32)],
  ["tip", dollars],
  ["lines.[].line_no", wholeFrom(1, 1_000_000)],
  ["lines.[].pizza_id", (value, { pizzas }) => pizzas.has(value as string)],
  ["lines.[].quantity", wholeFrom(1, 100)],
  ["lines.[].unit_price", dollars],
  ["producer.producer_id", (value) => typeof value === "string" && value.length >= 1 && characters(value) <= 64],
  ["producer.seq", wholeFrom(0, Number.MAX_SAFE_INTEGER)],
]);

/** Fields that a till fills freely; in a rejected event, they may contain a person's address. */
const free: ReadonlySet<string> = new Set(["order_id", "promotion_code"]);

const tokens = /"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s{}[\]:,"]+/g;

/** What replaces texts and numbers. */
export interface Filling {
  text: (value: string) => string;
  number: string;
}

/** Replaces visible ASCII by `x` and everything else by a blank; keeps the length. */
const blankOut = (value: string): string => value.replaceAll(/[\x21-\x7e]/g, "x").replaceAll(/[^x]/g, " ");

/** Ways to replace values: the first is the simplest; the others are tried to keep an invalid event equally invalid. */
export const fillings: readonly [Filling, ...Filling[]] = [
  { text: () => "x", number: "0" },
  ...["0", "-1", "-0.5", "0.001"].map((number) => ({ text: blankOut, number })),
];

/**
 * Removes a person from an event: replaces the customer id by a pseudonym, and every other text or number that is not
 * known to be harmless by a filling. All other bytes stay unchanged. `text` must be JSON.
 */
export function redactEvent(
  text: string,
  { customerId, pseudonym }: { customerId: string; pseudonym: string },
  {
    catalog,
    filling = fillings[0],
    isPersonal = () => false,
  }: { catalog: Catalog; filling?: Filling; isPersonal?: (text: string) => boolean },
): string {
  /** The open objects and arrays, and the current key of each object. */
  const open: { isObject: boolean; key: string | undefined }[] = [];
  return text.replaceAll(tokens, (token) => {
    const inner = open.at(-1);
    if (token === "{" || token === "[") open.push({ isObject: token === "{", key: undefined });
    else if (token === "}" || token === "]") open.pop();
    else if (token === "," && inner?.isObject) inner.key = undefined;
    else if (token !== ":" && token !== ",") {
      if (inner?.isObject && inner.key === undefined) return keyOf(token, inner);
      return valueOf(token, open.map(({ isObject, key }) => (isObject ? key! : "[]")).join("."));
    }
    return token;
  });

  function keyOf(token: string, inner: { key: string | undefined }): string {
    inner.key = JSON.parse(token) as string;
    return isPersonal(inner.key) ? JSON.stringify(blankOut(inner.key)) : token;
  }

  function valueOf(token: string, path: string): string {
    const value: unknown = JSON.parse(token);
    const isHarmless = harmless.get(path)?.(value, catalog) === true;
    if (isHarmless && !(free.has(path) && isPersonal(String(value)))) return token;
    if (typeof value === "number") return filling.number;
    if (typeof value !== "string") return token;
    if (path === "customer.customer_id" && value === customerId) return JSON.stringify(pseudonym);
    return JSON.stringify(harmless.has(path) ? blankOut(value) : filling.text(value));
  }
}

const [firstVisible, lastAscii, blank, broken] = [0x21, 0x7f, 0x78, 0xff];
const punctuation = new Set(Buffer.from('"\\{}[]:,'));
const orderId = /"order_id"\s*:\s*"([\x21-\x7e]{1,64}?)"/g;

/**
 * Masks bytes that cannot be parsed as an event: replaces every letter and digit by `x`, except order ids (unless
 * `isPersonal`) and the salvaged producer fields. The length stays the same, and invalid UTF-8 stays invalid.
 */
export function maskBytes(
  bytes: Uint8Array,
  { isUtf8, isPersonal = () => false }: { isUtf8: boolean; isPersonal?: (text: string) => boolean },
): Uint8Array {
  const masked = Uint8Array.from(bytes);
  for (const [index, byte] of masked.entries()) {
    const isKept = byte < firstVisible || (byte <= lastAscii && punctuation.has(byte));
    if (!isKept) masked[index] = blank;
  }
  const orders = [...Buffer.from(bytes).toString("latin1").matchAll(orderId)].filter(([, id]) => !isPersonal(id!));
  const kept = orders.map(({ index, 0: field }) => [index, index + field.length] as const);
  for (const [start, end] of [...kept, ...salvagedFields(bytes)]) masked.set(bytes.subarray(start, end), start);
  const first = masked.indexOf(blank);
  if (!isUtf8 && first !== -1) masked[first] = broken;
  return masked;
}

const backslash = 0x5c;
const escapes = /\\(?:u([0-9a-fA-F]{4})|(.))/gs;
const short: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/** Decodes bytes of JSON as text, with every escape resolved; the bytes may be damaged, or not JSON at all. */
export function plainText(bytes: Buffer): string {
  const text = bytes.toString("utf8");
  if (!bytes.includes(backslash)) return text;
  return text.replaceAll(escapes, (_, code: string | undefined, char: string) =>
    code === undefined ? (short[char] ?? char) : String.fromCharCode(Number.parseInt(code, 16)),
  );
}

/**
 * Returns a function that tests whether bytes of JSON may contain a text as a value. It has no false negatives: JSON
 * contains a text either literally or with at least one character escaped.
 */
export function createFinder(text: string): (bytes: Buffer) => boolean {
  const literal = Buffer.from(text);
  return (bytes) => bytes.includes(literal) || (bytes.includes(backslash) && plainText(bytes).includes(text));
}
