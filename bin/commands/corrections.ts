import { correctionsText } from "../corrections-text.ts";
import type { Command, Values } from "../options.ts";
import { print, printJson, UsageError } from "../output.ts";
import { lakeSqlOption, withHome } from "../with-home.ts";

export const corrections: Command = {
  summary: "what changed after it was reported: as first reported, as now known, and the orders behind it",
  usage: "corrections [--since DATE|24h|7d] [--table TABLE | --all] [--json]",
  options: {
    since: { type: "string", about: "corrected since then: a date, a time, or so many hours or days back (all)" },
    table: { type: "string", about: "values of this table of gold (orders and revenue of days and months)" },
    all: { type: "boolean", about: "values of every table" },
    ...lakeSqlOption,
  },
  async run(values, words) {
    if (words.length > 0) throw new UsageError(`${words[0]} is one word too many\nusage: pizza ${corrections.usage}`);
    const since = sinceOf(values);
    const found = await withHome(values, (home) => home.corrections({ since }));
    if (values.json) printJson(found);
    else print(correctionsText(found, { table: tableOf(values), isAll: values["all"] === true }));
  },
};

/** As an ISO 8601 moment: a number of hours or days back, or a date. */
function sinceOf({ since }: Values): string {
  if (since === undefined) return new Date(0).toISOString();
  const [, count, unit] = /^(\d{1,5})([hd])$/.exec(String(since)) ?? [];
  const back = Number(count) * (unit === "h" ? 3_600_000 : 86_400_000);
  const moment = count === undefined ? Date.parse(String(since)) : Date.now() - back;
  if (Number.isNaN(moment)) throw new UsageError(`--since ${since}: give a date such as 2026-01-31, or 24h, or 7d`);
  return new Date(moment).toISOString();
}

function tableOf({ table }: Values): string | undefined {
  return table === undefined ? undefined : `gold.${String(table).replace(/^gold\./, "")}`;
}
