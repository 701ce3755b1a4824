import { openDuckDbLake } from "../../adapters/duckdb.ts";
import { openFolderStore } from "../../adapters/folder-store.ts";
import { dayQueries, groupByMonth, readFacts } from "../../pipeline/gold/facts.ts";
import { openSilver, silverLakeTable } from "../../pipeline/silver/tables.ts";
import { goldSql } from "../bench-pipeline.ts";
import type { Case, Runner, BenchSetting } from "../case.ts";
import { prepareTables, tableFolder } from "../large-table.ts";

const facts: Case = {
  title: "silver -> facts of gold: every day of the large table, month by month, two threads",
  unit: "order lines",
  prepare: prepareTables,
  variants: {
    ours: (setting) =>
      readAllFacts(
        setting,
        dayQueries.map((name) => goldSql[name]),
      ),
    "plain: count(distinct order_id)": (setting) => readAllFacts(setting, plainFacts),
  },
};

export default facts;

/** Reads the facts month by month, as a publication of the month does. */
async function readAllFacts(setting: BenchSetting, queries: readonly string[]): Promise<Runner> {
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

/** The same facts in straightforward SQL, which counts orders by distinct ids. */
const day = `where order_date between cast(? as date) and cast(? as date) and status in ('placed', 'amended')`;
const sums = `cast(sum(quantity) as bigint) as pizzas, cast(sum(revenue_cents) as bigint) as revenue_cents`;

const plainFacts = [
  `select order_date, count(distinct order_id) as orders, count(*) as order_lines, ${sums},
     cast(sum(cost_cents) as bigint) as cost_cents, count(distinct customer_key) as customers
   from silver_order_lines ${day} group by order_date`,
  `select order_date, order_hour as hour, count(distinct order_id) as orders, ${sums}
   from silver_order_lines ${day} group by order_date, order_hour`,
  `select order_date, pizza_id, max(pizza_type_id) as pizza_type_id, max(pizza_name) as name, max(category) as category,
     max(size) as size, count(distinct order_id) as orders, ${sums}, cast(sum(cost_cents) as bigint) as cost_cents
   from silver_order_lines ${day} group by order_date, pizza_id`,
  `select order_date, store_id, channel, max(city) as city, max(state) as state, count(distinct order_id) as orders, ${sums},
     cast(sum(cost_cents) as bigint) as cost_cents
   from silver_order_lines ${day} group by order_date, store_id, channel`,
];
