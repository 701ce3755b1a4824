const backslash = 0x5c;
const escapes = /\\(?:u([0-9a-fA-F]{4})|(.))/gs;
const short: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/** The text that bytes of JSON say, escapes undone wherever they stand; the bytes may be damaged, or no JSON at all. */
export function plainText(bytes: Buffer): string {
  const text = bytes.toString("utf8");
  if (!bytes.includes(backslash)) return text;
  return text.replaceAll(escapes, (_, code: string | undefined, char: string) =>
    code === undefined ? (short[char] ?? char) : String.fromCharCode(Number.parseInt(code, 16)),
  );
}

/**
 * Makes a test whether bytes of JSON may hold a text as a value. It misses none: whoever does not write a text as it is
 * writes at least one of its characters as an escape.
 */
export function createFinder(text: string): (bytes: Buffer) => boolean {
  const asItIs = Buffer.from(text);
  return (bytes) => bytes.includes(asItIs) || (bytes.includes(backslash) && plainText(bytes).includes(text));
}
