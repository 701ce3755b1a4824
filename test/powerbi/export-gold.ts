/**
 * Writes gold of a data directory as the rows of the Power BI model, with each measure's DAX and what its SQL says
 * without a filter and by month, store and category: `node test/powerbi/export-gold.ts <data directory> <file>`.
 */
import { writeFileSync } from "node:fs";
import { measures, type Measure } from "../../bi/measures.ts";
import { channelNames, relationships, tables } from "../../bi/model.ts";
import { openLocalPipeline } from "../../targets/local/open.ts";

const [dir, file] = process.argv.slice(2);
const pipeline = await openLocalPipeline({ dir: dir!, isReadOnly: true });
const ask = async (sql: string) =>
  (await pipeline.query({ sql })) as Record<string, string | number | boolean | null>[];
try {
  const model = await Promise.all(
    tables.map(async ({ name, source, columns }) => {
      const types = Object.fromEntries(columns.map((column) => [column.name, column.type]));
      const rows =
        source === undefined
          ? computedRows(name)
          : await ask(`select ${columns.map((column) => `${column.source}::text`).join(", ")} from ${source}`);
      const ordered = rows.map((row) => columns.map((column) => row[column.source] ?? null));
      return { name, columns: columns.map((column) => column.name), types, rows: ordered };
    }),
  );
  const checks = [];
  for (const measure of measures)
    checks.push({ name: measure.name, dax: measure.dax, expected: await expected(measure) });
  writeFileSync(file!, JSON.stringify({ tables: model, relationships, measures: checks }));
} finally {
  await pipeline.close();
}

/** The rows of a table that the model computes in M. */
function computedRows(name: string): Record<string, string | number>[] {
  if (name === "Channel") {
    return Object.entries(channelNames).map(([channel, label], index) => ({ channel, name: label, place: index + 1 }));
  }
  if (name === "Hour") {
    return Array.from({ length: 24 }, (_, hour) => ({ hour, name: `${String(hour).padStart(2, "0")}:00` }));
  }
  return [];
}

/** What the SQL of a measure says: the filter in the model's words, and the value. */
async function expected({ sql }: Measure): Promise<{ filter: Record<string, unknown>; value: string | null }[]> {
  const text = (value: string | number | boolean | null | undefined) =>
    value === null || value === undefined ? null : String(value);
  if ("query" in sql) {
    const rows = await ask(sql.query);
    return rows.map(({ key, value }) => ({ filter: { key }, value: text(value) }));
  }
  const { from, aggregate } = sql;
  const [all] = await ask(`select ${aggregate} as value from ${from}`);
  const found: { filter: Record<string, unknown>; value: string | null }[] = [
    { filter: {}, value: text(all!["value"]) },
  ];
  const by = async (column: string, join: string, key: string) => {
    for (const { key: one, value } of await ask(
      `select ${key} as key, ${aggregate} as value from ${from} ${join} group by 1`,
    ))
      found.push({ filter: { [column]: [one] }, value: text(value) });
  };
  if (!from.startsWith("gold.sales")) return found;
  await by("Date.Month number", "join gold.dates on date = order_date", "month_number");
  await by("Store.Store", "", "store_id");
  await by("Channel.channel key", "", "channel");
  if (from === "gold.sales_items") await by("Pizza.Category", "join gold.menu using (pizza_id)", "category");
  return found;
}
