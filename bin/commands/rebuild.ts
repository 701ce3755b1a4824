import { lacksBronze } from "../../lambdas/rebuild/report.ts";
import { rebuildText } from "../rebuild-text.ts";
import { print, printJson, UsageError } from "../output.ts";
import { calendarDay, type Command, type Values } from "../options.ts";
import { lakeSqlOption, withHome } from "../with-home.ts";

export const rebuild: Command = {
  summary: "work days out anew from bronze, compare them with what is published, and publish what differs",
  usage: "rebuild [--from DATE] [--to DATE] [--gold] [--dry-run] [--json]",
  options: {
    from: { type: "string", about: "first business date, such as 2015-01-01 (the first there is)" },
    to: { type: "string", about: "last business date (the last there is)" },
    gold: { type: "boolean", about: "gold alone, from silver as it is" },
    "dry-run": { type: "boolean", about: "compare only; exit code 3 where something differs" },
    ...lakeSqlOption,
  },
  async run(values) {
    const [from, to] = [dateOf(values, "from") ?? "0001-01-01", dateOf(values, "to") ?? "9999-12-31"];
    if (from > to) throw new UsageError(`--from ${from} is after --to ${to}`);
    const isDryRun = values["dry-run"] === true;
    const source = values["gold"] === true ? ("silver" as const) : ("bronze" as const);
    const report = await withHome(values, (home) => home.rebuild({ from, to, source, isDryRun }));
    if (values.json) printJson(report);
    else print(rebuildText(report));
    return (report.equal || report.published) && !lacksBronze(report) ? 0 : 3;
  },
};

function dateOf(values: Values, name: "from" | "to"): string | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const day = calendarDay(String(text));
  if (day !== undefined) return day;
  throw new UsageError(`--${name} ${text}: give a date such as 2015-01-31`);
}
