/** What of an event says nothing about a person; every other text and number is blanked. */
const harmless: ReadonlySet<string> = new Set([
  "schema_version",
  "order_id",
  "revision",
  "status",
  "ordered_at",
  "emitted_at",
  "store_id",
  "channel",
  "promotion_code",
  "tip",
  "lines.line_no",
  "lines.pizza_id",
  "lines.quantity",
  "lines.unit_price",
  "producer.producer_id",
  "producer.seq",
]);

const tokens = /"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s{}[\]:,"]+/g;

/**
 * Takes the person out of an event: the customer's id gives way to a pseudonym, every other text that is not known to be
 * harmless to `x`, every such number to 0. Everything else stays byte by byte. `text` has to be JSON.
 */
export function redactEvent(
  text: string,
  { customerId, pseudonym }: { customerId: string; pseudonym: string },
): string {
  /** The objects and arrays that are open, and the key that is being filled in each object. */
  const open: { isObject: boolean; key: string | undefined }[] = [];
  return text.replaceAll(tokens, (token) => {
    const inner = open.at(-1);
    if (token === "{" || token === "[") open.push({ isObject: token === "{", key: undefined });
    else if (token === "}" || token === "]") open.pop();
    else if (token === "," && inner?.isObject) inner.key = undefined;
    else if (token !== ":" && token !== ",") {
      if (inner?.isObject && inner.key === undefined) inner.key = JSON.parse(token) as string;
      else return valueOf(token, open.flatMap(({ isObject, key }) => (isObject ? [key!] : [])).join("."));
    }
    return token;
  });

  function valueOf(token: string, path: string): string {
    if (harmless.has(path)) return token;
    if (!token.startsWith('"')) return /^[-\d]/.test(token) ? "0" : token;
    const isId = path === "customer.customer_id" && JSON.parse(token) === customerId;
    return JSON.stringify(isId ? pseudonym : "x");
  }
}

const [firstVisible, lastAscii, blank, broken] = [0x21, 0x7f, 0x78, 0xff];
const punctuation = new Set(Buffer.from('"\\{}[]:,'));
const orderId = /"order_id"\s*:\s*"[\x21-\x7e]{1,64}?"/;

/**
 * Blanks what can be no event: every letter and digit gives way to `x`, but for the order's id. The length stays, and bytes
 * that were no UTF-8 stay no UTF-8 in one place.
 */
export function maskBytes(bytes: Uint8Array, { isUtf8 }: { isUtf8: boolean }): Uint8Array {
  const masked = Uint8Array.from(bytes);
  const kept = orderId.exec(Buffer.from(bytes).toString("latin1"));
  const [from, to] = kept === null ? [0, 0] : [kept.index, kept.index + kept[0].length];
  for (const [index, byte] of masked.entries()) {
    const isKept = (index >= from && index < to) || byte < firstVisible || (byte <= lastAscii && punctuation.has(byte));
    if (!isKept) masked[index] = blank;
  }
  const first = masked.indexOf(blank);
  if (!isUtf8 && first !== -1) masked[first] = broken;
  return masked;
}
