import { existsSync, readFileSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { applyMutant } from "./mutated-tree.ts";
import { allMutants } from "./mutants.ts";
import { withTable } from "./table.ts";

const project = new URL("../..", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, project), "utf8");

describe("the mutants (npm run mutate)", () => {
  it("replace a text that occurs once in its file", () => {
    for (const mutant of allMutants) {
      const whole = read(mutant.file);
      expect(applyMutant(mutant, whole), mutant.guard).not.toBe(whole);
    }
  });

  it("break no function of the database that a later migration replaces", () => {
    const folder = "sql/migrations/";
    const migrations = readdirSync(new URL(folder, project)).map((name) => `${folder}${name}`);
    const replaced = allMutants
      .filter(({ file }) => file.startsWith(folder))
      .filter(({ file, text }) => {
        const before = read(file).split(text)[0]!;
        const name = [...before.matchAll(/^create (?:or replace )?function ([\w.]+)/gm)].at(-1)?.[1];
        const pattern = new RegExp(`create or replace function ${name}\\(|drop function ${name}\\b`);
        return migrations.some((later) => later > file && pattern.test(read(later)));
      });
    expect(replaced.map(({ guard, file }) => `${file}: ${guard}`)).toEqual([]);
  });

  it("fail if their text is missing or occurs twice", () => {
    const [mutant] = allMutants;
    expect(() => applyMutant(mutant!, "")).toThrow("stands 0 times");
    expect(() => applyMutant(mutant!, mutant!.text.repeat(2))).toThrow("stands 2 times");
  });

  it("have unique names and existing tests", () => {
    const names = allMutants.map(({ guard }) => guard);
    expect(names).toEqual([...new Set(names)]);
    for (const test of allMutants.flatMap(({ tests }) => tests))
      expect([test, existsSync(new URL(test, project))]).toEqual([test, true]);
  });

  it("are listed in docs/mutants.md; npm run mutate -- --table updates it", () => {
    const page = read("docs/mutants.md");
    expect(page).toBe(withTable(page));
  });
});
