import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { AwsSolutionsChecks, ServerlessChecks } from "cdk-nag";
import { describe, expect, test } from "vitest";
import { acknowledgements } from "../../lib/acknowledgements.ts";
import { environments } from "../../lib/config.ts";
import { environmentNames, synthesise } from "./synthesise.ts";

interface Report {
  pluginReports: { pluginName: string; violations: { ruleName: string; severity?: string }[] }[];
}

describe("cdk-nag's review of the templates", () => {
  const removable = { ...environments.prod, keepsData: false };
  const cases = [
    ...environmentNames.map((name) => ({ name, environment: name })),
    { name: "prod to be removed", environment: removable },
  ];

  test.each(cases)("$name has no unacknowledged finding", ({ environment }) => {
    const { outdir } = synthesise(environment, { checked: true });
    const file = join(outdir, "validation-report.json");
    const report = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Report) : { pluginReports: [] };
    const found = report.pluginReports.flatMap(({ violations }) => violations.map(({ ruleName }) => ruleName));
    expect(found.filter((rule) => !rule.includes("nobody-is-told"))).toEqual([]);
  });

  test("every acknowledgement is needed and has a meaningful reason", () => {
    const { stacks } = synthesise("prod");
    const { stateful, stateless } = stacks;
    for (const [stack, all] of [
      [stateful, acknowledgements(stacks).stateful],
      [stateless, acknowledgements(stacks).stateless],
    ] as const) {
      const findings = [new AwsSolutionsChecks(), new ServerlessChecks()].flatMap((pack) =>
        pack
          .validateScope(stack)
          .violations.flatMap(({ ruleName, violatingResources }) =>
            violatingResources.map(({ constructPath }) => `${ruleName} ${constructPath}/`),
          ),
      );
      for (const { rule, path, reason } of all) {
        const where = `${rule} ${[stack.node.path, path].filter(Boolean).join("/")}/`;
        expect(
          findings.filter((finding) => finding.startsWith(where)),
          `${rule} on ${path}`,
        ).not.toEqual([]);
        expect(reason.length, reason).toBeGreaterThan(20);
      }
    }
  });
});
