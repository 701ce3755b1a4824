import { describe, expect, it } from "vitest";
import { BytesTable, nextHash } from "../../../pipeline/domain/bytes-table.ts";

function find(table: BytesTable<number>, key: string) {
  const bytes = Buffer.from(`<${key}>`);
  const end = bytes.length - 1;
  return table.find(bytes, 1, end, bytes.subarray(1, end).reduce(nextHash, 0));
}

describe("a table of bytes", () => {
  it("finds exactly the keys that were added, however many there are", () => {
    const table = new BytesTable<number>();
    for (let n = 0; n < 5000; n++) table.add(`kéy-${n}`, n);
    expect(Array.from({ length: 5000 }, (_, n) => find(table, `kéy-${n}`))).toEqual([...new Array(5000).keys()]);
    expect(["kéy-5000", "kéy-", "", "key-1", "kéy-11 "].map((key) => find(table, key))).toEqual(
      new Array(5).fill(undefined),
    );
    expect(table.size).toBe(5000);
  });

  it("distinguishes keys with the same hash", () => {
    const table = new BytesTable<number>();
    const bytes = Buffer.from("abacab");
    table.insert(bytes, 0, 2, 7, 1);
    table.insert(bytes, 2, 4, 7, 2);
    expect(table.find(bytes, 4, 6, 7)).toBe(1);
    expect(table.find(bytes, 2, 4, 7)).toBe(2);
    expect(table.find(bytes, 1, 3, 7)).toBeUndefined();
    expect(table.find(bytes, 0, 3, 7)).toBeUndefined();
  });

  it("is empty after it is cleared, and can be filled again", () => {
    const table = new BytesTable<number>();
    for (let n = 0; n < 100; n++) table.add(String(n), n);
    table.clear();
    expect([table.size, find(table, "7")]).toEqual([0, undefined]);
    table.add("8", 8);
    expect([find(table, "7"), find(table, "8")]).toEqual([undefined, 8]);
  });
});
