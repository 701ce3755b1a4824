/** Bytes of a text as a JSON string in a request. */
export function jsonBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text));
}

/** Cuts a text into parts of at most `largest` bytes each as JSON, never within a character; together they are the text. */
export function splitText(text: string, largest: number): string[] {
  if (jsonBytes(text) <= largest) return [text];
  const half = Math.floor(text.length / 2);
  const isLowSurrogate = (text.charCodeAt(half) & 0xfc00) === 0xdc00;
  const middle = isLowSurrogate ? half + 1 : half;
  return [...splitText(text.slice(0, middle), largest), ...splitText(text.slice(middle), largest)];
}
