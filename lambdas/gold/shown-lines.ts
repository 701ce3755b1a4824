import type { DeltaTable } from "../lake/delta-table.ts";
import type { LakeTable } from "../ports.ts";
import { silverLakeTable } from "../silver/tables.ts";

/** A day, and the version of silver that is meant. */
export interface DayAtVersion {
  /** `YYYY-MM-DD` */
  order_date: string;
  version: number;
}

/**
 * Silver for SQL with each day as it was at a version of its own. Data files never change and hold one day each, so
 * files of several versions make one table. Throws where a version is no longer kept.
 */
export async function linesAtVersions(silver: DeltaTable, days: readonly DayAtVersion[]): Promise<LakeTable> {
  const byVersion = Map.groupBy(days, ({ version }) => version);
  const parts: LakeTable[] = [];
  for (const [version, ofVersion] of byVersion) {
    const snapshot = await silver.snapshot(version);
    const dates = ofVersion.map(({ order_date }) => order_date);
    parts.push(silverLakeTable(snapshot, dates));
  }
  const nothing = silverLakeTable(await silver.snapshot(), []);
  const newest = Math.max(nothing.version, ...byVersion.keys());
  return { ...nothing, version: newest, files: parts.flatMap(({ files }) => files) };
}
