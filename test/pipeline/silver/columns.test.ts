import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { silverColumns, type Column } from "../../../pipeline/silver/columns.ts";

type Released = Required<Pick<Column, "name" | "type">> & { nullable: boolean };

/** Returns the changes that break a table with the released columns or its readers, one sentence each. */
function breakingChanges(before: readonly Released[], now: readonly Column[]): string[] {
  const columns = new Map(now.map((column) => [column.name, column]));
  const known = new Set(before.map(({ name }) => name));
  return [
    ...before.flatMap(({ name, type, nullable }) => {
      const column = columns.get(name);
      if (column === undefined) return [`${name} is gone`];
      if (column.type !== type) return [`${name} was ${type} and is ${column.type}`];
      return (column.nullable ?? false) === nullable ? [] : [`${name} is nullable: ${!nullable}, was ${nullable}`];
    }),
    ...now
      .filter(({ name, nullable }) => !known.has(name) && !nullable)
      .map(({ name }) => `${name} is new, not nullable`),
  ];
}

function released(version: number): Released[] {
  return JSON.parse(readFileSync(new URL(`silver-columns-${version}.json`, import.meta.url), "utf8")) as Released[];
}

describe("the columns of silver", () => {
  it.each([1, 2])("keep every column of release %i, and are nullable if they are new", (version) => {
    expect(breakingChanges(released(version), silverColumns)).toEqual([]);
  });

  it("are compared with a release, naming each kind of breaking change", () => {
    const [first, second, third, ...rest]: Column[] = [...silverColumns];
    const changed = [{ ...first!, type: "int" }, { ...second!, nullable: true }, ...rest] as Column[];
    const added = { name: "till_mood", type: "string", comment: "" } as const;
    expect(breakingChanges(released(2), [...changed, added])).toEqual([
      "order_id was string and is int",
      "line_no is nullable: true, was false",
      `${third!.name} is gone`,
      "till_mood is new, not nullable",
    ]);
  });
});
