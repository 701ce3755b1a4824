import { expect, test } from "vitest";
import { jsonBytes, splitText, replaceParameters } from "../../adapters/data-api-encoding.ts";

const named = (sql: string) => replaceParameters(sql, (number) => `:p${number}`);

test("every occurrence of a parameter gets its name", () => {
  expect(named("select $1::text, $2, $12 + $1 from t where a=$2")).toBe(
    "select :p1::text, :p2, :p12 + :p1 from t where a=:p2",
  );
});

test.each([
  ["strings", "select 'costs $1', 'it''s $1', E'it\\'s $1'"],
  ["quoted names", 'select "a $1 ""b $2"""'],
  ["dollar-quoted bodies", "do $$ begin execute 'select $1' using 1; end $$"],
  ["bodies with a tag", "do $outer$ begin execute $inner$ select $1 $inner$ using 1; end $outer$"],
  ["comments", "select 1 -- not $1\n + /* nor $2 */ 2"],
  ["names with a dollar", "select price$1 from t"],
])("%s are unchanged", (_, sql) => {
  expect(named(sql)).toBe(sql);
  expect(named(`${sql}\n, $3`)).toBe(`${sql}\n, :p3`);
});

test("a long text is split into parts within the limit that join to the same text", () => {
  const text = `${'{"name":"Zoë 🍕"}'.repeat(1000)}\n\u0000`;
  const parts = splitText(text, 1000);
  expect(parts.join("")).toBe(text);
  expect(Math.max(...parts.map(jsonBytes))).toBeLessThanOrEqual(1000);
  for (const part of parts) expect(part.isWellFormed()).toBe(true);
});
