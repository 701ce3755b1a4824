const [quote, backslash, colon] = [34, 92, 58];
const tokens = /"(?:[^"\\]|\\.)*"|[{}[\]:]/g;

/**
 * Returns a key that an object in JSON text has twice, also if it is written with escapes; undefined without one.
 * `value` is what the text was parsed to: it has one key less for each repeated one.
 */
export function findDuplicateKey(text: string, value: unknown): string | undefined {
  return countColons(text) === countKeys(value) ? undefined : firstRepeated(text);
}

/** Counts the colons outside strings: one for each key. */
function countColons(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === colon) count++;
    if (code !== quote) continue;
    for (at++; text.charCodeAt(at) !== quote; at++) if (text.charCodeAt(at) === backslash) at++;
  }
  return count;
}

/** Counts the keys of all objects in a value; iterative, because the depth is not bounded yet. */
function countKeys(value: unknown): number {
  let count = 0;
  const open = [value];
  while (open.length > 0) {
    const item = open.pop();
    if (typeof item !== "object" || item === null) continue;
    const values = Object.values(item) as unknown[];
    if (!Array.isArray(item)) count += values.length;
    for (const each of values) open.push(each);
  }
  return count;
}

function firstRepeated(text: string): string | undefined {
  const open: Set<string>[] = [];
  let last = "";
  for (const [token] of text.matchAll(tokens)) {
    if (token === "{" || token === "[") open.push(new Set());
    else if (token === "}" || token === "]") open.pop();
    else if (token === ":") {
      const key = JSON.parse(last) as string;
      if (open.at(-1)!.has(key)) return key;
      open.at(-1)!.add(key);
    } else last = token;
  }
  return undefined;
}
