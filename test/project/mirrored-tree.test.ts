import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { expect, test } from "vitest";

/** Product folders whose tests have the same path below `test/`. */
const mirrored = ["adapters", "bin", "lambdas", "lib", "localstack", "pipeline", "producer", "targets"];

/** Tests of the emulator itself, not of a file in this project. */
const isOfTheEmulator = (path: string) => path.startsWith("localstack/live/");

const tests = mirrored.flatMap((folder) =>
  readdirSync(join("test", folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".test.ts"))
    .map((path) => join(folder, path))
    .filter((path) => !isOfTheEmulator(path)),
);

/** `silver/refine-silver.test.ts` and `silver/refine-silver.any-order.test.ts` test `silver/refine-silver.ts`. */
function isNamedAfterAFile(path: string): boolean {
  const [name] = basename(path).split(".");
  // A tested fixture has its test next to it.
  return [dirname(path), join("test", dirname(path))].some(
    (folder) =>
      existsSync(folder) &&
      readdirSync(folder).some((file) => file.startsWith(`${name}.`) && !file.endsWith(".test.ts")),
  );
}

test("the test of a file has the same folder and name", () => {
  expect(tests.length).toBeGreaterThan(100);
  expect(tests.filter((path) => !isNamedAfterAFile(path))).toEqual([]);
});
