import type { Warehouse } from "../ports.ts";
import type { ExplainedTable } from "./gold-tables.ts";

/** The cells of a row of gold as text; throws where there is no such row. */
export async function readRow(
  warehouse: Warehouse,
  { name, table, key }: { name: string; table: ExplainedTable; key: readonly string[] },
): Promise<Record<string, string | null>> {
  const columns = Object.keys(table.cells).map((column) => `${asText(column)} as ${column}`);
  const where = table.key.map((column, index) => `${column.name} = $${index + 1}::${column.type}`);
  const sql = `select ${columns.join(", ")} from gold.${name} where ${where.join(" and ")}`;
  const [row] = await warehouse.query<Record<string, string | null>>(sql, key);
  if (row !== undefined) return row;
  const wanted = table.key.map((column, index) => `${column.name} ${key[index]}`).join(", ");
  throw new Error(`gold.${name} has no row of ${wanted}: pizza query "select * from gold.${name}" shows what there is`);
}

function asText(column: string): string {
  return column.endsWith("_at")
    ? `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
    : `${column}::text`;
}
