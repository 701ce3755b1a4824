import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const flags = (JSON.parse(readFileSync("cdk.json", "utf8")) as { context: object }).context;

/** Runs the app as the CDK command line does. */
function run(context: object) {
  const env = { ...process.env, CDK_CONTEXT_JSON: JSON.stringify({ ...flags, ...context }) };
  const { status, stderr } = spawnSync(process.execPath, ["bin/app.ts"], { env, encoding: "utf8" });
  return { status, stderr };
}

describe("the app reports invalid settings without a stack trace", () => {
  test("a setting that is wrong", () => {
    expect(run({ env: "dev", monthlyBudgetUsd: "abc" })).toEqual({
      status: 1,
      stderr: 'environment dev cannot be built:\n- monthlyBudgetUsd is "abc"; allowed: 1 to 1000000\n',
    });
  });

  test.skipIf(existsSync("node_modules/@duckdb/node-bindings-linux-arm64"))(
    "DuckDB for a processor whose package is not installed",
    () => {
      const { status, stderr } = run({ env: "dev", lakeSql: "duckdb" });
      expect(status).toBe(1);
      expect(stderr).toMatch(
        /^package @duckdb\/node-bindings-linux-arm64 is not installed, .*: run npm install --no-save --force \S+, or choose Athena\n$/,
      );
    },
  );
});
