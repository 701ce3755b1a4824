/**
 * A hash table (open addressing) whose keys are looked up as UTF-8 bytes, so that a known key never becomes a string.
 * The caller supplies the hash, computed with `nextHash` over the bytes.
 */
export class BytesTable<Value> {
  private values: Value[] = [];
  private hashes = new Int32Array(32);
  /** All keys, concatenated, and the bounds of each key. */
  private keys = new Uint8Array(512);
  private bounds = new Int32Array(33);
  /** For each hash slot, the index of a value plus 1; 0 if free. At least half of the slots are free. */
  private slots = new Int32Array(64);

  get size(): number {
    return this.values.length;
  }

  /** Returns the value whose key equals the bytes `[start, end)`, or undefined. */
  find(bytes: Uint8Array, start: number, end: number, hash: number): Value | undefined {
    const { slots } = this;
    const mask = slots.length - 1;
    for (let slot = spread(hash) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const index = slots[slot]! - 1;
      if (this.hashes[index] === hash && this.isKey(index, bytes, start, end)) return this.values[index];
    }
    return undefined;
  }

  /** Adds a value under a key that is not in the table yet. */
  add(key: string, value: Value): void {
    const bytes = Buffer.from(key);
    this.insert(bytes, 0, bytes.length, hashOf(bytes), value);
  }

  /** Adds a value under the bytes `[start, end)` and their hash; the key must not be in the table yet. */
  insert(bytes: Uint8Array, start: number, end: number, hash: number, value: Value): void {
    const index = this.values.push(value) - 1;
    const from = this.bounds[index]!;
    const to = from + end - start;
    if (to > this.keys.length) this.keys = larger(new Uint8Array(to * 2), this.keys);
    for (let i = start; i < end; i++) this.keys[from + i - start] = bytes[i]!;
    this.bounds[index + 1] = to;
    this.hashes[index] = hash;
    if (index + 1 < this.hashes.length) this.occupy(index);
    else this.grow();
  }

  clear(): void {
    this.values = [];
    this.slots.fill(0);
  }

  private isKey(index: number, bytes: Uint8Array, start: number, end: number): boolean {
    const from = this.bounds[index]!;
    if (this.bounds[index + 1]! - from !== end - start) return false;
    for (let i = start; i < end; i++) if (this.keys[from + i - start] !== bytes[i]) return false;
    return true;
  }

  private occupy(index: number): void {
    const mask = this.slots.length - 1;
    let slot = spread(this.hashes[index]!) & mask;
    while (this.slots[slot] !== 0) slot = (slot + 1) & mask;
    this.slots[slot] = index + 1;
  }

  private grow(): void {
    const room = this.hashes.length * 2;
    this.hashes = larger(new Int32Array(room), this.hashes);
    this.bounds = larger(new Int32Array(room + 1), this.bounds);
    this.slots = new Int32Array(room * 2);
    for (let index = 0; index < this.values.length; index++) this.occupy(index);
  }
}

/** Returns the hash of some bytes followed by one more; the hash of no bytes is 0. */
export function nextHash(hash: number, byte: number): number {
  return (Math.imul(hash, 0x01000193) + byte) | 0;
}

function hashOf(bytes: Uint8Array): number {
  let hash = 0;
  for (const byte of bytes) hash = nextHash(hash, byte);
  return hash;
}

/** Mixes the high bits in: ids differ mostly in their last characters and would otherwise cluster in the table. */
function spread(hash: number): number {
  return hash ^ (hash >>> 15);
}

function larger<Room extends Uint8Array | Int32Array>(room: Room, content: Room): Room {
  room.set(content);
  return room;
}
