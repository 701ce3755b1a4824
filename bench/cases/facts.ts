import { openDuckDbLake } from "../../lambdas/adapters/duckdb-lake.ts";
import { openFolderStore } from "../../lambdas/adapters/folder-store.ts";
import { groupByMonth } from "../../lambdas/gold/group-by-month.ts";
import { readFacts } from "../../lambdas/gold/lake-facts.ts";
import { openSilver, silverLakeTable } from "../../lambdas/silver/tables.ts";
import type { Case, Runner, Setting } from "../case.ts";
import { goldSql } from "../gold-sql.ts";
import { prepareTables, tableFolder } from "../large-table.ts";
import { plainFacts } from "../plain-facts.ts";

const facts: Case = {
  title: "silver -> facts of gold: every day of the large table, month by month, two threads",
  unit: "order lines",
  prepare: prepareTables,
  variants: {
    ours: (setting) => readAllFacts(setting, [goldSql.dayFacts, goldSql.dayCustomers]),
    "plain: count(distinct order_id)": (setting) => readAllFacts(setting, plainFacts),
  },
};

export default facts;

/** Each month's facts at once, as a publish of the month asks for them. */
async function readAllFacts(setting: Setting, queries: readonly string[]): Promise<Runner> {
  const root = tableFolder(setting, "large");
  const lake = await openDuckDbLake({ root, threads: 2 });
  const snapshot = await openSilver({ store: openFolderStore(root), clock: Date.now }).snapshot();
  const lines = snapshot.files.values().reduce((sum, { rows }) => sum + rows, 0);
  return {
    async run() {
      let rows = 0;
      for (const windows of groupByMonth(snapshot.partitions.keys())) {
        const table = silverLakeTable(snapshot, windows);
        const read = await Promise.all(queries.map((sql) => readFacts(lake, { sql, table, windows })));
        rows += read.reduce((sum, part) => sum + part.length, 0);
      }
      return { units: lines, figures: { days: snapshot.partitions.size, factRows: rows } };
    },
    close: async () => lake.close(),
  };
}
