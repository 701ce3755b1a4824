import { expect, it } from "vitest";
import { formerObjects } from "../../../pipeline/forget/redact-bronze.ts";

it("an object that stands in the place of another, or of itself, is not removed", () => {
  const keys = new Map([
    ["named", "new"],
    ["same", "same"],
    ["other", "redacted"],
    ["redacted", "redacted"],
  ]);
  expect(formerObjects({ keys })).toEqual(["other", "named"]);
});
