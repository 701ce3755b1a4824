/** The length of a short text in four bytes, as text. */
const lengths = Array.from({ length: 128 }, (_, length) => `${String.fromCharCode(length)}\0\0\0`);

/** Texts, chosen by index, as Parquet's PLAIN byte arrays: the length in four bytes, then the bytes in UTF-8. */
export function plainTexts(indices: Uint32Array, texts: readonly string[]): Uint8Array {
  return shortAsciiTexts(indices, texts) ?? anyTexts(indices, texts);
}

/** Where every text is short and ASCII the lengths are too, and the page can be encoded as one text. */
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
