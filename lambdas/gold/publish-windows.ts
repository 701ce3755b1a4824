import type { LakeQuery, LakeTable, Warehouse } from "../ports.ts";
import { readDayFacts, type WindowSql } from "./day-facts.ts";
import { toJson } from "./lake-facts.ts";

/** What a publish did: windows skipped are those that gold already shows at this version or a newer one. */
export interface PublishSummary {
  windows: number;
  published: number;
  skipped: number;
  /** Rows of gold that were written or removed. */
  rowsChanged: number;
  /** Values that changed for the sake of days that were reported before. */
  corrections: number;
}

/**
 * Publishes days to gold from one version of silver, in one transaction. `table` holds the files of these windows;
 * a window without a sale is published as empty. Running it twice, or late after a newer one, changes nothing.
 */
export async function publishWindows(
  { lake, warehouse, sql, isAgain = false }: { lake: LakeQuery; warehouse: Warehouse; sql: WindowSql } & Again,
  { table, windows, silverVersion }: { table: LakeTable; windows: string[]; silverVersion: number },
): Promise<PublishSummary> {
  if (windows.length === 0) return { windows: 0, published: 0, skipped: 0, rowsChanged: 0, corrections: 0 };
  const facts = await readDayFacts(lake, { sql, table, windows });
  const document = toJson({ silver_version: silverVersion, windows, ...facts });
  return {
    windows: windows.length,
    ...(await callPublish(warehouse, isAgain ? "ops.republish_windows" : "ops.publish_windows", document)),
  };
}

/** Whether days that are shown at this very version are published too: a rebuild puts right what was changed in gold. */
export interface Again {
  isAgain?: boolean;
}

/** Calls a publish function of the database with its one document. */
export async function callPublish(
  warehouse: Warehouse,
  name: `ops.${"" | "re"}publish_${"windows" | "customers"}`,
  document: string,
): Promise<Omit<PublishSummary, "windows">> {
  const [row] = await warehouse.query<Record<string, number>>(
    `select published, skipped, rows_changed, corrections from ${name}($1::jsonb)`,
    [document],
  );
  const { published = 0, skipped = 0, rows_changed: rowsChanged = 0, corrections = 0 } = row ?? {};
  return { published, skipped, rowsChanged, corrections };
}
