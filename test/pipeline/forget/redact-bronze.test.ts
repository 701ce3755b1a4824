import { expect, it } from "vitest";
import { formerObjects } from "../../../pipeline/forget/redact-bronze.ts";

it("an object that replaces another one, or itself, is not deleted", () => {
  const keys = new Map([
    ["named", "new"],
    ["same", "same"],
    ["other", "redacted"],
    ["redacted", "redacted"],
  ]);
  expect(formerObjects({ keys })).toEqual(["other", "named"]);
});
