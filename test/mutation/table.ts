import { mutants } from "./mutants.ts";

const [begin, end] = ["<!-- mutants: npm run mutate -- --table -->", "<!-- /mutants -->"];

/** The guards as a table of docs/mutants.md. */
export function mutantTable(): string {
  return Object.entries(mutants)
    .map(([layer, guards]) =>
      [
        `| ${layer}: guard | prevents | broken in | red test |`,
        "| --- | --- | --- | --- |",
        ...guards.map(
          ({ guard, prevents, file, tests }) =>
            `| ${guard} | ${prevents} | \`${file}\` | ${tests.map((test) => `\`${test.replace(/^test\//, "")}\``).join(", ")} |`,
        ),
      ].join("\n"),
    )
    .join("\n\n");
}

/** The page with its table updated; throws if the page has no markers for it. */
export function withTable(page: string): string {
  const [before, rest] = page.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`the page lacks ${begin} … ${end}`);
  return `${before}${begin}\n\n${mutantTable()}\n\n${end}${after}`;
}
