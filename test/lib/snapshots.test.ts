import { describe, expect, test } from "vitest";
import { synthesise, type Template } from "./synthesise.ts";

/** The template without what every change of code changes: the hashes of assets and of function versions. */
const stable = (template: Template): string =>
  JSON.stringify(template, undefined, 1)
    .replaceAll(/[0-9a-f]{64}/g, "<asset>")
    .replaceAll(/(CurrentVersion[0-9A-F]{8})[0-9a-f]{32}/g, "$1<version>");

/** Every place where two values differ, with both. */
function differences(before: unknown, after: unknown, place = ""): string[] {
  const isBranch = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
  if (!isBranch(before) || !isBranch(after)) {
    const [one, other] = [before, after].map((value) => JSON.stringify(value)?.slice(0, 100) ?? "nothing");
    return one === other ? [] : [`${place}: ${one} -> ${other}`];
  }
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].toSorted().flatMap((key) => differences(before[key], after[key], `${place}/${key}`));
}

/** Both templates without the environment's name, which stands in physical names and in some logical ids. */
function namelessly(
  { stateful, stateless }: Record<"stateful" | "stateless", Template>,
  environment: string,
): unknown[] {
  const name = new RegExp(`(?<=[-_ "/.:]|PizzaSales)${environment}(?![a-z])`, "g");
  const hash = /(?<=PizzaSalesENV\w*)[0-9A-F]{8}(?=["\w])/g;
  return [stateful, stateless].map(
    (each) => JSON.parse(stable(each).replaceAll(name, "ENV").replaceAll(hash, "")) as unknown,
  );
}

describe("the templates", () => {
  test.each(["prod", "localstack"] as const)("of %s are those that were reviewed", async (name) => {
    const { stateful, stateless } = synthesise(name);
    await expect(stable(stateful)).toMatchFileSnapshot(`snapshots/${name}-stateful.json`);
    await expect(stable(stateless)).toMatchFileSnapshot(`snapshots/${name}-stateless.json`);
  });

  test.each(["dev", "staging"] as const)("of %s differ from those of prod in its settings only", async (name) => {
    const found = differences(namelessly(synthesise("prod"), "prod"), namelessly(synthesise(name), name));
    await expect(`${found.join("\n")}\n`).toMatchFileSnapshot(`snapshots/${name}-against-prod.txt`);
  });
});
