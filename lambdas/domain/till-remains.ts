const till = /"producer_id"\s*:\s*"([^"\\]{1,64})"/;
/** What follows the digits says that none was cut off. */
const number = /"seq"\s*:\s*(\d{1,16})\s*[,}]/;

/** What is left of a till's name and number in the text of a damaged event; undefined without the name. */
export function readTillRemains(text: string): { producerId: string; seq?: number } | undefined {
  const producerId = till.exec(text)?.[1];
  if (producerId === undefined) return undefined;
  const seq = number.exec(text)?.[1];
  return seq === undefined ? { producerId } : { producerId, seq: Number(seq) };
}

/** Where they stand in its bytes. */
export function tillRemains(bytes: Uint8Array): [start: number, end: number][] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  if (!till.test(text)) return [];
  return [till, number].flatMap((pattern) => {
    const found = pattern.exec(text);
    return found === null ? [] : [[found.index, found.index + found[0].length]];
  });
}
