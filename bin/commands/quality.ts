import { qualityRules } from "../../lambdas/domain/quality-rules.ts";
import { oneOf, type Command } from "../options.ts";
import { print, printJson } from "../output.ts";
import { qualityText } from "../quality-text.ts";
import { lakeSqlOption, withHome } from "../with-home.ts";

const names = qualityRules.map(({ name }) => name);

export const quality: Command = {
  summary: "check the quality rules; exit code 3 when one of severity error is red",
  usage: "quality [--rule NAME] [--json] [--lake-sql athena|duckdb]",
  options: {
    rule: { type: "string", about: `only this rule: ${names.join(", ")}` },
    ...lakeSqlOption,
  },
  async run(values) {
    const rule = oneOf(values, "rule", names);
    const report = await withHome(values, (home) => home.quality({ rule }));
    if (values.json) printJson(report);
    else print(qualityText(report));
    return report.errors === 0 ? 0 : 3;
  },
};
