import type { LakeQuery, LakeRow, LakeTable } from "../ports.ts";

/** Rows of one lake SQL file for just these windows; `windows` are dates `YYYY-MM-DD`, at least one. */
export async function readFacts(
  lake: LakeQuery,
  { sql, table, windows }: { sql: string; table: LakeTable; windows: readonly string[] },
): Promise<LakeRow[]> {
  const sorted = windows.toSorted();
  const rows = await lake.query(sql, [sorted[0]!, sorted.at(-1)!], [table]);
  const asked = new Set(windows);
  return rows.filter((row) => asked.has(String(row["order_date"])));
}

/** JSON for the publish functions; 64-bit integers become strings, which PostgreSQL reads into bigint. */
export function toJson(document: Record<string, unknown>): string {
  return JSON.stringify(document, (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value));
}
