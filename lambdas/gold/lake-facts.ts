import type { LakeQuery, LakeRow, LakeTable } from "../ports.ts";

/** Rows of one lake SQL file for just these windows; `windows` are dates `YYYY-MM-DD`, at least one. */
export async function readFacts(
  lake: LakeQuery,
  { sql, table, windows }: { sql: string; table: LakeTable; windows: readonly string[] },
): Promise<LakeRow[]> {
  const sorted = windows.toSorted();
  const asked = new Set(windows);
  const rows = await lake.query(sql, [sorted[0]!, sorted.at(-1)!], [ofDays(table, asked)]);
  return rows.filter((row) => asked.has(String(row["order_date"])));
}

/** JSON for the publish functions; 64-bit integers become strings, which PostgreSQL reads into bigint. */
export function toJson(document: Record<string, unknown>): string {
  return JSON.stringify(document, (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value));
}

/** The table without the files of other days: even to be skipped, each file costs a query time. */
function ofDays(table: LakeTable, days: ReadonlySet<string>): LakeTable {
  const mark = `${table.partitionColumn}=`;
  const dayOf = (file: string) => file.split("/").find((part) => part.startsWith(mark));
  const files = table.files.filter((file) => {
    const day = dayOf(file);
    return day === undefined || days.has(day.slice(mark.length));
  });
  return { ...table, files };
}
