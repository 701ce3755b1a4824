/**
 * An immutable map whose next version costs about as much as its changes: it shares the entries of the one before it and
 * is written out anew only when many changes have gathered. Older versions stay what they were.
 */
export class VersionedMap<Value> implements ReadonlyMap<string, Value> {
  readonly size: number;
  private readonly base: ReadonlyMap<string, Value>;
  /** What differs from the base; undefined is an entry that is gone. */
  private readonly changes: ReadonlyMap<string, Value | undefined>;

  constructor(
    base: ReadonlyMap<string, Value> = new Map(),
    changes: ReadonlyMap<string, Value | undefined> = new Map(),
  ) {
    this.base = base;
    this.changes = changes;
    let size = base.size;
    for (const [key, value] of changes) size += Number(value !== undefined) - Number(base.has(key));
    this.size = size;
  }

  /** The next version; an entry set to undefined is removed. */
  with(changes: ReadonlyMap<string, Value | undefined>): VersionedMap<Value> {
    if (changes.size === 0) return this;
    const next = new VersionedMap(this.base, new Map([...this.changes, ...changes]));
    const isCrowded = next.changes.size > 64 && next.changes.size ** 2 > 64 * next.base.size;
    return isCrowded ? new VersionedMap(new Map(next)) : next;
  }

  get(key: string): Value | undefined {
    return this.changes.has(key) ? this.changes.get(key) : this.base.get(key);
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  *entries(): MapIterator<[string, Value]> {
    for (const entry of this.base) if (!this.changes.has(entry[0])) yield entry;
    for (const [key, value] of this.changes) if (value !== undefined) yield [key, value];
  }

  *keys(): MapIterator<string> {
    for (const [key] of this.entries()) yield key;
  }

  *values(): MapIterator<Value> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): MapIterator<[string, Value]> {
    return this.entries();
  }

  forEach(visit: (value: Value, key: string, map: ReadonlyMap<string, Value>) => void): void {
    for (const [key, value] of this.entries()) visit(value, key, this);
  }
}
