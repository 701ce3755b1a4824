import { describe, expect, test } from "vitest";
import { synthesise, type Template } from "./synthesise.ts";

/** The template without what every change of code changes: the hashes of assets and of function versions. */
const stable = (template: Template): string =>
  JSON.stringify(template, undefined, 1)
    .replaceAll(/[0-9a-f]{64}/g, "<asset>")
    .replaceAll(/(CurrentVersion[0-9A-F]{8})[0-9a-f]{32}/g, "$1<version>");

/** Every place where two values differ, with both: of a long one some characters from the first that differs. */
function differences(before: unknown, after: unknown, place = ""): string[] {
  const isBranch = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
  const isAdded = before === undefined && isBranch(after) && Object.keys(after).length > 0;
  if (!isAdded && !(isBranch(before) && isBranch(after))) {
    const [one, other] = [before, after].map((value) => JSON.stringify(value) ?? "nothing") as [string, string];
    if (one === other) return [];
    let same = 0;
    while (one[same] === other[same]) same++;
    const from = Math.max(one.length, other.length) > 100 && same > 20 ? same - 20 : 0;
    return [`${place}: ${excerpt(one, from)} -> ${excerpt(other, from)}`];
  }
  const known = isAdded ? {} : (before as Record<string, unknown>);
  const keys = new Set([...Object.keys(known), ...Object.keys(after)]);
  return [...keys].toSorted().flatMap((key) => differences(known[key], after[key], `${place}/${key}`));
}

const excerpt = (text: string, from: number): string => `${from > 0 ? "... " : ""}${text.slice(from, from + 100)}`;

/** Both templates without the environment's name, which is part of physical names and of some logical ids. */
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
  test("of prod are the reviewed ones", async () => {
    const { stateful, stateless } = synthesise("prod");
    await expect(stable(stateful)).toMatchFileSnapshot("snapshots/prod-stateful.json");
    await expect(stable(stateless)).toMatchFileSnapshot("snapshots/prod-stateless.json");
  });

  test.each(["dev", "staging", "localstack"] as const)(
    "of %s differ from those of prod only in its settings",
    async (name) => {
      const found = differences(namelessly(synthesise("prod"), "prod"), namelessly(synthesise(name), name));
      await expect(`${found.join("\n")}\n`).toMatchFileSnapshot(`snapshots/${name}-against-prod.txt`);
    },
  );
});
