import { expect, test } from "vitest";
import {
  formatStamp,
  formatUtc,
  formatWall,
  momentOf,
  offsetMinutes,
  wallOf,
} from "../../../pipeline/domain/wall-clock.ts";

const wall = (text: string): number => Date.parse(`${text}Z`);

test.each([
  ["America/New_York", "2015-03-07T12:00:00", "2015-03-07T12:00:00-05:00"],
  ["America/New_York", "2015-03-09T12:00:00", "2015-03-09T12:00:00-04:00"],
  ["America/New_York", "2015-11-01T12:00:00", "2015-11-01T12:00:00-05:00"],
  ["America/Phoenix", "2015-07-01T12:00:00", "2015-07-01T12:00:00-07:00"],
  ["America/Los_Angeles", "2015-03-08T03:30:00", "2015-03-08T03:30:00-07:00"],
  ["America/Los_Angeles", "2015-03-08T01:30:00", "2015-03-08T01:30:00-08:00"],
  ["Asia/Kolkata", "2015-07-01T00:15:00", "2015-07-01T00:15:00+05:30"],
])("the local time in %s at %s is %s", (timeZone, shown, expected) => {
  const at = momentOf(timeZone, wall(shown));
  expect(formatWall(timeZone, at)).toBe(expected);
  expect(Date.parse(expected)).toBe(at);
  expect(wallOf(timeZone, at)).toBe(wall(shown));
});

test("the offset changes during the day of a clock change", () => {
  expect(offsetMinutes("America/New_York", Date.parse("2015-03-08T06:59:59Z"))).toBe(-300);
  expect(offsetMinutes("America/New_York", Date.parse("2015-03-08T07:00:00Z"))).toBe(-240);
});

test("an unknown time zone is rejected", () => {
  expect(() => offsetMinutes("America/Springfield", 0)).toThrow(/Springfield/);
});

test("times are formatted in UTC to the millisecond, and as sortable stamps", () => {
  const at = Date.parse("2026-11-23T04:05:06.007Z");
  expect(formatUtc(at)).toBe(new Date(at).toISOString());
  expect(formatStamp(at)).toBe("20261123-040506");
});
