import { qualityRules } from "../../lambdas/domain/quality-rules.ts";
import { oneOf, type Command, type Values } from "../options.ts";
import { print, printJson, UsageError } from "../output.ts";
import { profileText } from "../profile-text.ts";
import { qualityText } from "../quality-text.ts";
import { lakeSqlOption, lookAtHome } from "../with-home.ts";

const names = qualityRules.map(({ name }) => name);

export const quality: Command = {
  summary: "check the quality rules; exit code 3 when one of severity error is red",
  usage: "quality [--rule NAME | --profile] [--json] [--lake-sql athena|duckdb]",
  options: {
    rule: { type: "string", about: `only this rule: ${names.join(", ")}` },
    profile: {
      type: "boolean",
      about: "instead: what silver's columns hold in the newest week, beside the week before",
    },
    ...lakeSqlOption,
  },
  async run(values) {
    const rule = oneOf(values, "rule", names);
    if (values["profile"] === true) return await showProfile(values, rule);
    const report = await lookAtHome(values, (home) => home.quality({ rule }));
    if (values.json) printJson(report);
    else print(qualityText(report));
    return report.errors === 0 ? 0 : 3;
  },
};

async function showProfile(values: Values, rule: string | undefined): Promise<number> {
  if (rule !== undefined) throw new UsageError("--profile looks at silver without rules: leave --rule out");
  const profile = await lookAtHome(values, (home) => home.profile());
  if (values.json) printJson(profile);
  else print(profileText(profile));
  return 0;
}
