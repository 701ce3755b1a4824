import type { Warehouse } from "../ports.ts";

/** Hashes of gold's contents. */
export interface GoldHash {
  /** Hash of all tables: equal if every number of gold is equal. */
  hash: string;
  tables: Record<string, { rows: number; hash: string }>;
}

/** Hashes gold inside PostgreSQL, excluding the columns with the publish time and the silver version of a row. */
export async function goldHash(warehouse: Warehouse): Promise<GoldHash> {
  const rows = await warehouse.query<{ table_name: string; row_count: string; hash: string; whole: string }>(
    `select
         table_name,
         row_count,
         hash,
         md5(string_agg(table_name || ' ' || hash, ',') over (
           order by table_name collate "C" rows between unbounded preceding and unbounded following
         )) as whole
     from ops.gold_hash()`,
  );
  return {
    hash: rows[0]?.whole ?? "",
    tables: Object.fromEntries(rows.map((row) => [row.table_name, { rows: Number(row.row_count), hash: row.hash }])),
  };
}
