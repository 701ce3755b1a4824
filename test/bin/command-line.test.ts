import { describe, expect, it } from "vitest";
import { pizzaInProcess } from "../e2e/command-line-in-process.ts";

const overview = (await pizzaInProcess("--help")).stdout;
const names = [...overview.split("common options:")[0]!.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name!);

describe("the help", () => {
  it("lists every command by task, in 80 columns", () => {
    expect(names.length).toBeGreaterThan(25);
    expect(new Set(names).size).toBe(names.length);
    expect(overview.match(/^[a-z][a-z ]*:$/gm)).toEqual([
      "run it:",
      "see what is going on:",
      "send orders:",
      "prove and question the numbers:",
      "mend:",
      "plan:",
      "common options:",
      "exit codes:",
      "examples:",
    ]);
    expect(overview.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  it.each(names)("of %s fits 80 columns, and ends with two calls that the command accepts", async (name) => {
    const { code, stdout } = await pizzaInProcess(name, "--help");
    expect(code).toBe(0);
    expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
    const examples = stdout.split("\nexamples:\n")[1]!.trimEnd().split("\n");
    expect(examples).toHaveLength(2);
    for (const example of examples) {
      const words = [...example.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c!);
      expect(words.slice(0, 2)).toEqual(["./pizza", name]);
      // The options are read before the help is printed: an unknown one would be exit code 2.
      expect(await pizzaInProcess(...words.slice(1), "--help")).toMatchObject({ code: 0 });
    }
  });
});
