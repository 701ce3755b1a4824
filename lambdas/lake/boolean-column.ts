import { badValue, pageRows, type ColumnBuffer } from "./column-buffer.ts";
import { packBits, type EncodedColumn } from "./page-encoding.ts";
import { encodePages, moveInto, Presence, valueRange } from "./presence.ts";

/** A column of booleans. */
export class BooleanColumn implements ColumnBuffer {
  private readonly name: string;
  private readonly presence: Presence | undefined;
  private values: Uint8Array;
  private length = 0;

  constructor(name: string, nullable: boolean, room: number) {
    this.name = name;
    this.presence = nullable ? new Presence(room) : undefined;
    this.values = new Uint8Array(room);
  }

  get rows(): number {
    return this.presence?.rows ?? this.length;
  }

  get nulls(): number {
    return this.rows - this.length;
  }

  push(value: boolean | null, times = 1): void {
    if (this.presence !== undefined) {
      this.presence.push(value !== null, times);
      if (value === null) return;
    }
    if (typeof value !== "boolean") throw badValue(this.name, value, "a boolean");
    const end = this.length + times;
    if (end > this.values.length) this.values = moveInto(new Uint8Array(end * 2), this.values);
    while (this.length < end) this.values[this.length++] = value ? 1 : 0;
  }

  encode(from: number, to: number): EncodedColumn {
    const pages = encodePages({ presence: this.presence, from, to, size: pageRows }, (start, end) =>
      packBits(this.values.subarray(start, end)),
    );
    const [start, end] = valueRange(this.presence, from, to);
    return { pages, nullCount: to - from - (end - start) };
  }

  bounds(): undefined {
    return undefined;
  }
}
