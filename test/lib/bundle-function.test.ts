import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { bundleFunction } from "../../lib/bundle-function.ts";

const dir = mkdtempSync(join(tmpdir(), "pizza-bundle-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Every file in a folder with its content. */
function contents(path: string): Record<string, string> {
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  const paths = files.map((file) => join(file.parentPath, file.name));
  return Object.fromEntries(paths.map((file) => [relative(path, file), readFileSync(file, "base64")]));
}

describe("a bundle", () => {
  it("of equal sources has equal bytes, so that only changed functions are deployed", () => {
    const bundle = (outdir: string) =>
      bundleFunction({ name: "RefineSilver", outdir: join(dir, outdir), lakeSql: "athena" });
    const [first, second] = [bundle("first"), bundle("second")];
    expect(contents(second.path)).toEqual(contents(first.path));
    expect(first).toMatchObject({ handler: "lambdas/silver/refine-silver.handler" });
    expect(first.loadedBytes).toBeLessThan(first.codeBytes);
    expect(first.totalBytes).toBeGreaterThan(first.codeBytes);
  });

  it("contains no files of an earlier bundle in its folder", () => {
    const outdir = join(dir, "again");
    const { path } = bundleFunction({ name: "RefineSilver", outdir, lakeSql: "athena" });
    writeFileSync(join(path, "stray.mjs"), "");
    bundleFunction({ name: "RefineSilver", outdir, lakeSql: "duckdb" });
    expect(readdirSync(path).toSorted()).toEqual(["lambdas"]);
  });

  it("with DuckDB for an architecture whose package is missing is rejected with the command that installs it", () => {
    const architecture = process.arch === "arm64" ? "x86_64" : "arm64";
    const cpu = process.arch === "arm64" ? "x64" : "arm64";
    expect(() => bundleFunction({ name: "PublishWindows", outdir: dir, lakeSql: "duckdb", architecture })).toThrow(
      new RegExp(
        `^package @duckdb/node-bindings-linux-${cpu} is not installed, .*: run npm install --no-save --force @duckdb/`,
      ),
    );
  });
});
