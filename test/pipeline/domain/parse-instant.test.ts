import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseInstant } from "../../../pipeline/domain/parse-instant.ts";

describe("parsing an instant", () => {
  it("agrees with Date on every moment and offset", () => {
    const moments = fc.date({ min: new Date("2000-01-02"), max: new Date("2199-12-30"), noInvalidDate: true });
    fc.assert(
      fc.property(moments, fc.integer({ min: -839, max: 839 }), (moment, offset) => {
        const wallClock = new Date(moment.getTime() + offset * 60_000).toISOString().slice(0, -1);
        const hours = String(Math.floor(Math.abs(offset) / 60)).padStart(2, "0");
        const minutes = String(Math.abs(offset) % 60).padStart(2, "0");
        const text = `${wallClock}${offset < 0 ? "-" : "+"}${hours}:${minutes}`;
        expect(parseInstant(text)).toBe(moment.getTime() * 1000);
      }),
    );
  });

  it("keeps microseconds", () => {
    expect(parseInstant("2015-01-01T00:00:00.000001Z")).toBe(Date.UTC(2015, 0, 1) * 1000 + 1);
    expect(parseInstant("2015-01-01T00:00:00.5Z")).toBe(Date.UTC(2015, 0, 1) * 1000 + 500_000);
  });

  it.each([
    "",
    "2015",
    "2015-02-29T00:00:00Z",
    "2015-13-01T00:00:00Z",
    "2015-00-01T00:00:00Z",
    "2015-01-32T00:00:00Z",
    "2015-01-01T24:00:00Z",
    "2015-01-01T23:60:00Z",
    "2015-01-01T23:59:60Z",
    "2015-01-01T00:00:00",
    "2015-01-01T00:00:00.Z",
    "2015-01-01T00:00:00+15:00",
    "2015-01-01T00:00:00+05:00x",
    "2015-01-01T00:00:00Zx",
    "1999-12-31T23:59:59Z",
    "2200-01-01T00:00:00Z",
    "２０15-01-01T00:00:00Z",
    "2015-1-01T00:00:00Z",
    "-015-01-01T00:00:00Z",
    "2015-01-01T00:00:00+5",
    "2015-01-01T00:00:00+05:0",
    "2015-01-01T00:00:00  +05:00",
    "2015-01-01T00:00.5Z",
    "2015-01-01T00Z",
    "20150101T000000Z",
    "2015-01-01T00:00:00.1234567",
    "2015-01-01_00:00:00Z",
    "2015-01-01T00:00:00,Z",
    "2015-02-29 00:00Z",
  ])("rejects %j", (text) => {
    expect(parseInstant(text)).toBeUndefined();
  });

  it.each([
    ["no seconds", "2015-01-01T12:00-05:00", "2015-01-01T12:00:00-05:00"],
    ["seven decimals", "2015-01-01T12:00:00.1234567-05:00", "2015-01-01T12:00:00.123456-05:00"],
    ["nine decimals", "2015-01-01T12:00:00.999999999Z", "2015-01-01T12:00:00.999999Z"],
    ["twelve decimals", "2015-01-01T12:00:00.000000999999Z", "2015-01-01T12:00:00Z"],
    ["a comma before the decimals", "2015-01-01T12:00:00,25Z", "2015-01-01T12:00:00.25Z"],
    ["a blank for T", "2015-01-01 12:00:00-05:00", "2015-01-01T12:00:00-05:00"],
    ["lower-case letters", "2015-01-01t12:00:00z", "2015-01-01T12:00:00Z"],
    ["an offset without a colon", "2015-01-01T12:00:00+0530", "2015-01-01T12:00:00+05:30"],
    ["an offset of hours", "2015-01-01T12:00:00+05", "2015-01-01T12:00:00+05:00"],
    ["a blank before the offset", "2015-01-01 12:00:00 -0500", "2015-01-01T12:00:00-05:00"],
  ])("reads %s", (_, text, usual) => {
    expect(parseInstant(text)).toBeDefined();
    expect(parseInstant(text)).toBe(parseInstant(usual));
  });

  it("handles leap years", () => {
    expect(parseInstant("2000-02-29T00:00:00Z")).toBeDefined();
    expect(parseInstant("2016-02-29T00:00:00Z")).toBeDefined();
    expect(parseInstant("2100-02-29T00:00:00Z")).toBeUndefined();
  });
});
