import { mkdirSync } from "node:fs";
import { openFolderStore } from "../../adapters/folder-store.ts";
import { partitionColumn, silverColumns, type Column } from "../../pipeline/silver/columns.ts";
import { compactTable } from "../../pipeline/delta/compact.ts";
import { openDeltaTable, type DeltaTable } from "../../pipeline/delta/table.ts";
import { copyRows, readColumns } from "../../pipeline/parquet/read-columns.ts";
import { createTableWriter } from "../../pipeline/parquet/table-writer.ts";
import { orderLines, pushRows, writeRows, type Row } from "../pipeline/delta/order-lines.ts";

const root = "silver/order_lines";
const days = ["2015-01-01", "2015-01-02", "2015-01-03"];

/** What another reader must find at a version. */
interface Expectation {
  version: number;
  rows: number;
  revenue_cents: number;
  /** Undefined at versions without this column. */
  tip_cents?: number;
}

/** The number of versions written by a program without the columns of schema version 2. */
const oldVersions = 6;
const laterColumns = new Set<string>(["promotion_code", "tip_cents"]);

/**
 * Creates a table in a folder as the pipeline would: appends, appends with two more columns, a revision of orders that
 * rewrites a file, a checkpoint, a compaction, and further appends. Prints what a reader must find in some versions,
 * one per line.
 */
async function makeTable(folder: string): Promise<Expectation[]> {
  mkdirSync(folder, { recursive: true });
  const store = openFolderStore(folder);
  const open = (columns: readonly Column[]) =>
    openDeltaTable({
      store,
      root,
      clock: Date.now,
      columns,
      partitionColumn,
      name: "order_lines",
      description: "A table for other readers",
      checkpointEvery: 10,
    });
  let table = open(silverColumns.filter(({ name }) => !laterColumns.has(name)));
  const expected: Expectation[] = [];
  const total: Omit<Expectation, "version"> = { rows: 0, revenue_cents: 0 };
  const count = (rows: readonly Row[], sign: 1 | -1) => {
    total.rows += sign * rows.length;
    for (const row of rows) {
      total.revenue_cents += sign * Number(row["revenue_cents"]);
      if (total.tip_cents !== undefined) total.tip_cents += sign * Number(row["tip_cents"] ?? 0);
    }
  };
  const append = async (batch: number) => {
    const written = days.map((day, index) => ({
      day,
      rows: orderLines({ orders: 20, seed: batch * 10 + index, firstOrder: batch * 20 }),
    }));
    const adds = await Promise.all(
      written.map(({ day, rows }) => table.writeDataFile({ partition: day, ...writeRows(rows, table.columns) })),
    );
    for (const { rows } of written) count(rows, 1);
    expected.push({ version: await commit(table, { adds, removes: [] }), ...total });
    return { rows: written[0]!.rows, file: adds[0]! };
  };
  const first = await append(0);
  for (let batch = 1; batch < oldVersions; batch++) await append(batch);
  table = open(silverColumns);
  total.tip_cents = 0;
  for (let batch = oldVersions; batch < 12; batch++) await append(batch);
  const fixed = orderLines({ orders: 5, seed: 99, firstOrder: 0, revision: 1 });
  const isReplaced = new Set(fixed.map((row) => String(row["order_id"])));
  const columns = await readColumns(
    (await store.get(`${root}/${first.file.path}`))!,
    silverColumns.map(({ name }) => name),
  );
  const writer = createTableWriter(silverColumns);
  copyRows(writer, columns, (row) => !isReplaced.has(String(columns["order_id"]![row])));
  pushRows(writer, fixed);
  // The old file's rows have no tip.
  count(
    first.rows.filter((row) => isReplaced.has(String(row["order_id"]))).map((row) => ({ ...row, tip_cents: null })),
    -1,
  );
  count(fixed, 1);
  const rewritten = await table.writeDataFile({ partition: days[0], ...writer.finish() });
  const rewrite = await commit(table, { adds: [rewritten], removes: [first.file] });
  expected.push({ version: rewrite, ...total });
  const { version } = await compactTable({ table, store });
  expected.push({ version, ...total });
  for (let batch = 12; batch < 22; batch++) await append(batch);
  const isTold = new Set([0, oldVersions - 1, oldVersions, rewrite - 1, rewrite, version, expected.length - 1]);
  return expected.filter((expectation) => isTold.has(expectation.version));
}

async function commit(table: DeltaTable, files: Pick<Parameters<DeltaTable["commit"]>[0], "adds" | "removes">) {
  const { version } = await table.snapshot();
  const result = await table.commit({
    ...files,
    readVersion: version,
    operation: files.removes.length === 0 ? "WRITE" : "MERGE",
    transactions: [{ appId: `bronze/orders/object-${version}`, version: 0, lastUpdated: Date.now() }],
    operationMetrics: { files: files.adds.length },
  });
  if (!result.committed) throw new Error(`interop table: version ${version + 1} exists already; use an empty folder`);
  return result.version;
}

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("make-table: no folder given; call it as make-table.ts FOLDER");
for (const { version, rows, revenue_cents, tip_cents } of await makeTable(folder)) {
  process.stdout.write(`${version} ${rows} revenue_cents=${revenue_cents}`);
  process.stdout.write(tip_cents === undefined ? "\n" : ` tip_cents=${tip_cents}\n`);
}
