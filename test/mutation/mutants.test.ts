import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { applyMutant } from "./mutated-tree.ts";
import { allMutants } from "./mutants.ts";
import { withTable } from "./table.ts";

const project = new URL("../..", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, project), "utf8");

describe("the mutants (npm run mutate)", () => {
  it("are made from texts that stand once in their files, and change them", () => {
    for (const mutant of allMutants) {
      const whole = read(mutant.file);
      expect(applyMutant(mutant, whole), mutant.guard).not.toBe(whole);
    }
  });

  it("fail loudly once their text is gone, or stands twice", () => {
    const [mutant] = allMutants;
    expect(() => applyMutant(mutant!, "")).toThrow("stands 0 times");
    expect(() => applyMutant(mutant!, mutant!.text.repeat(2))).toThrow("stands 2 times");
  });

  it("have names of their own and tests that are there", () => {
    const names = allMutants.map(({ guard }) => guard);
    expect(names).toEqual([...new Set(names)]);
    for (const test of allMutants.flatMap(({ tests }) => tests))
      expect([test, existsSync(new URL(test, project))]).toEqual([test, true]);
  });

  it("are the guards that docs/mutants.md lists; npm run mutate -- --table brings it up to date", () => {
    const page = read("docs/mutants.md");
    expect(page).toBe(withTable(page));
  });
});
