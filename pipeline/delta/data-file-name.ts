import { randomBytes } from "node:crypto";

/**
 * Returns an id for a new data file: a UUID version 7 (RFC 9562), which begins with its creation time. Vacuum needs
 * that time, because the object store port has none, and an unreferenced file may only be deleted once it is old.
 */
export function newFileId(now: number): string {
  const hex = now.toString(16).padStart(12, "0") + randomBytes(10).toString("hex");
  const variant = "89ab"[Number.parseInt(hex[16]!, 16) & 3]!;
  return [hex.slice(0, 8), hex.slice(8, 12), `7${hex.slice(13, 16)}`, variant + hex.slice(17, 20), hex.slice(20)].join(
    "-",
  );
}

/** Returns a data file's path relative to its table's root; throws if the partition does not fit the table. */
export function dataFilePath({
  id,
  partition,
  partitionColumn,
}: {
  id: string;
  partition: string | undefined;
  partitionColumn: string | undefined;
}): string {
  if ((partition === undefined) !== (partitionColumn === undefined)) {
    throw new Error(
      `data file ${id}: partition ${partition} does not fit a table partitioned by ${partitionColumn ?? "nothing"}`,
    );
  }
  if (partition !== undefined && !/^[\w.-]+$/.test(partition)) {
    throw new Error(
      `partition ${JSON.stringify(partition)} cannot be part of a path; use letters, digits, ".", "_" and "-"`,
    );
  }
  return partition === undefined
    ? `part-${id}.zstd.parquet`
    : `${partitionColumn}=${partition}/part-${id}.zstd.parquet`;
}

/** Returns a data file's creation time in milliseconds since 1970; undefined if its name does not contain one. */
export function madeAt(path: string): number | undefined {
  const [, high, low] = /part-([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-/.exec(path) ?? [];
  return high === undefined ? undefined : Number.parseInt(high + low!, 16);
}
