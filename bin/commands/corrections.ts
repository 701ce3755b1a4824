import { correctionsText } from "../corrections-text.ts";
import { explainedTables } from "../../lambdas/explain/gold-tables.ts";
import { momentOf, type Command, type Values } from "../options.ts";
import { print, printJson, UsageError } from "../output.ts";
import { lakeSqlOption, lookAtHome } from "../with-home.ts";

export const corrections: Command = {
  summary: "what changed after it was reported: as first reported, as now known, and the orders behind it",
  usage: "corrections [--since DATE|24h|7d] [--table TABLE | --all] [--json]",
  options: {
    since: { type: "string", about: "corrected since then: a date, a time, or so many hours or days back (all)" },
    table: { type: "string", about: "values of this table of gold (orders and revenue of days and months)" },
    all: { type: "boolean", about: "values of every table" },
    ...lakeSqlOption,
  },
  async run(values) {
    const [since, table] = [sinceOf(values), tableOf(values)];
    const found = await lookAtHome(values, (home) => home.corrections({ since }));
    if (values.json) printJson(found);
    else print(correctionsText(found, { table, isAll: values["all"] === true }));
  },
};

/** As an ISO 8601 moment: a number of hours or days back, or a date. */
function sinceOf({ since }: Values): string {
  if (since === undefined) return new Date(0).toISOString();
  const [, count, unit] = /^(\d{1,5})([hd])$/.exec(String(since)) ?? [];
  const back = Number(count) * (unit === "h" ? 3_600_000 : 86_400_000);
  const moment = count === undefined ? momentOf(String(since)) : Date.now() - back;
  if (moment === undefined) {
    throw new UsageError(
      `--since ${since}: give a date such as 2026-01-31, a time such as 2026-01-31T18:00:00Z, or 24h, or 7d`,
    );
  }
  return new Date(moment).toISOString();
}

function tableOf({ table }: Values): string | undefined {
  if (table === undefined) return undefined;
  const name = String(table).replace(/^gold\./, "");
  if (Object.hasOwn(explainedTables, name)) return `gold.${name}`;
  throw new UsageError(`--table ${table}: name a table of gold: ${Object.keys(explainedTables).join(", ")}`);
}
