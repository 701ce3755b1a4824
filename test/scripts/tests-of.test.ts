import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { testsOf } from "../../scripts/tests-of.ts";

test.each([
  [
    "a test that is named after the file",
    "pipeline/parquet/string-column.ts",
    "test/pipeline/parquet/string-column.test.ts",
  ],
  [
    "a test that is named after the file and an aspect",
    "producer/faults.ts",
    "test/producer/faults.delay-queue.test.ts",
  ],
  [
    "a test of one of the file's mutants",
    "pipeline/silver/refine-silver.ts",
    "test/pipeline/silver/refine-silver.any-order.test.ts",
  ],
  [
    "a test that imports the file indirectly",
    "pipeline/domain/byte-cursor.ts",
    "test/pipeline/domain/scan-order.test.ts",
  ],
  ["a test that starts a program", "bin/commands/doctor.ts", "test/e2e/command-line.test.ts"],
  ["a test that calls a function's bundle", "lambdas/gold/plan-windows.ts", "test/e2e/functions.test.ts"],
  ["a test that reads SQL through a loader", "sql/gold/day-facts.sql", "test/pipeline/gold/publish-windows.test.ts"],
  ["a test that runs a workflow", "step-functions/backup.asl.json", "test/e2e/backup.test.ts"],
])("tests-of finds %s", (_, file, expected) => {
  expect(testsOf(file)).toContain(expected);
});

test("tests-of lists a test that is named after the file first, and omits tests that do not reach it", () => {
  const tests = testsOf("pipeline/parquet/string-column.ts");
  expect(tests[0]).toBe("test/pipeline/parquet/string-column.test.ts");
  expect(tests).not.toContain("test/producer/random.test.ts");
  expect(testsOf("lib/acknowledgements.ts")).not.toContain("test/pipeline/silver/refine-silver.test.ts");
});

test.each([
  [[], "no file is given"],
  [["pipeline/nothing.ts"], "pipeline/nothing.ts is not a file"],
  [["pipeline"], "pipeline is not a file"],
  [["package.json", "README.md"], "README.md: only one file can be given"],
  [["/etc/hostname"], "/etc/hostname is not a file of this project"],
])("tests-of exits with code 2 and a message for %j", (args, message) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/tests-of.ts", ...args], {
    encoding: "utf8",
  });
  expect({ status, stdout, stderr }).toEqual({
    status: 2,
    stdout: "",
    stderr: expect.stringContaining(message) as string,
  });
});
