import { describe, expect, it } from "vitest";
import { calendarDay, momentOf } from "../../bin/options.ts";

describe("a moment", () => {
  it.each([
    ["2026-01-31", "2026-01-31T00:00:00.000Z"],
    ["1970-01-01", "1970-01-01T00:00:00.000Z"],
    ["2024-02-29", "2024-02-29T00:00:00.000Z"],
    ["2026-01-31T18:00Z", "2026-01-31T18:00:00.000Z"],
    ["2026-01-31T18:00:00.5-05:00", "2026-01-31T23:00:00.500Z"],
  ])("%s is understood", (text, moment) => {
    expect(momentOf(text)).toBe(Date.parse(moment));
  });

  it.each([
    "",
    "7",
    "2026",
    "2026-1-5",
    "2026-02-30",
    "2026-02-30T00:00:00Z",
    "2026-01-31T18:00",
    "2026-01-31T25:00Z",
    "May 3",
  ])("%j is none", (text) => expect(momentOf(text)).toBeUndefined());
});

it("a day is one of the calendar", () => {
  expect(["2026-01-31", "2026-02-29", "2026-01-31T00:00Z", "yesterday"].map(calendarDay)).toEqual([
    "2026-01-31",
    undefined,
    undefined,
    undefined,
  ]);
});
