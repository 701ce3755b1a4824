import { expect, test } from "vitest";
import { checkRates, faultNames, parseFaults } from "../../producer/fault-kinds.ts";

test("faults are parsed with their rates", () => {
  expect(parseFaults("duplicates=0.05, late=0.01")).toEqual({ duplicates: 0.05, late: 0.01 });
});

test("a kind without a rate affects one event in a hundred", () => {
  expect(parseFaults("gap")).toEqual({ gap: 0.01 });
});

test("all means every kind, and a later part overrides it", () => {
  const rates = parseFaults("all=0.02,late=0");
  expect(Object.keys(rates)).toEqual(faultNames);
  expect(rates.duplicates).toBe(0.02);
  expect(rates.late).toBe(0);
});

test.each(["", "none"])("%j means no faults", (text) => {
  expect(parseFaults(text)).toEqual({});
});

test("an unknown fault is rejected with the known names", () => {
  expect(() => parseFaults("lates=0.1")).toThrow(
    /fault "lates" is unknown.*duplicates, reorder, late, amended.*gap, or all/,
  );
});

test.each(["late=2", "late=-1", "late=", "late=often"])("%s is rejected", (text) => {
  expect(() => parseFaults(text)).toThrow(/rate must be a number from 0 to 1/);
});

test("more than one fault per event is rejected", () => {
  expect(() => parseFaults("all=0.1")).toThrow(/more than 1/);
  expect(() => checkRates({ late: 0.6, gap: 0.5 })).toThrow(/more than 1/);
});
