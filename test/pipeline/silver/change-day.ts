import { silverColumns, type SilverColumnName } from "../../../pipeline/silver/columns.ts";
import type { AddFile, DeltaTable } from "../../../pipeline/delta/table.ts";
import { copyRows, readColumns } from "../../../pipeline/parquet/read-columns.ts";
import { createTableWriter } from "../../../pipeline/parquet/table-writer.ts";
import type { ObjectStore } from "../../../pipeline/ports.ts";

/** One row of silver, keyed by column name. */
export type Cells = Record<SilverColumnName, unknown>;

const names = silverColumns.map(({ name }) => name);

/**
 * Rewrites the only silver file of a day with changed rows in a separate commit, optionally with `dataChange: false`.
 * Returns a function that undoes it.
 */
export async function changeDay(
  { silver, store }: { silver: DeltaTable; store: ObjectStore },
  day: string,
  change: (rows: Cells[]) => Cells[],
  { dataChange = true } = {},
): Promise<() => Promise<void>> {
  const [file, ...more] = [...(await silver.snapshot()).files.values()].filter(({ partition }) => partition === day);
  if (file === undefined || more.length > 0) throw new Error(`${day} has ${more.length + 1} files in silver, or none`);
  const columns = await readColumns((await store.get(`${silver.root}/${file.path}`))!, names);
  const rows = Array.from(
    columns["order_id"]!,
    (_, row) => Object.fromEntries(names.map((name) => [name, columns[name]![row]])) as Cells,
  );
  const changed = change(rows);
  const writer = createTableWriter(silverColumns);
  copyRows(writer, Object.fromEntries(names.map((name) => [name, changed.map((cells) => cells[name])])), () => true);
  const written = await silver.writeDataFile({ partition: day, ...writer.finish() });
  const replace = async (before: AddFile, after: AddFile): Promise<void> => {
    const { version } = await silver.snapshot();
    const request = { operation: "DAMAGE", transactions: [], operationMetrics: {}, readVersion: version, dataChange };
    const { committed } = await silver.commit({ ...request, removes: [before], adds: [after] });
    if (!committed) throw new Error("somebody else committed to silver: try again");
  };
  await replace(file, written);
  return () => replace(written, file);
}
