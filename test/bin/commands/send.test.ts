import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readEventLines } from "../../../bin/commands/send.ts";

const folder = mkdtempSync(join(tmpdir(), "pizza-lines-"));
const file = join(folder, "events");
afterAll(() => rmSync(folder, { recursive: true }));

/** The most that a record holds. */
const most = 1_048_320;

describe("the lines of a file", () => {
  it("are events without being checked, including empty lines", () => {
    writeFileSync(file, Buffer.from([0x61, 0x0a, 0x0a, 0xff, 0x0d, 0x0a, 0x62]));
    const { events, tooLong } = readEventLines(file);
    expect(events.map(({ bytes }) => Buffer.from(bytes).toString("latin1"))).toEqual(["a", "", "\u00FF\r", "b"]);
    expect(tooLong).toEqual([]);
  });

  it("are reported if they are too long for a record, and the others are kept", () => {
    writeFileSync(file, ["a", "x".repeat(most), "y".repeat(most + 1), "b", ""].join("\n"));
    const { events, tooLong } = readEventLines(file);
    expect(events.map(({ bytes }) => bytes.length)).toEqual([1, most, 1]);
    expect(tooLong).toEqual([{ line: 3, bytes: most + 1 }]);
  });

  it.each([
    ["nowhere", /nowhere does not exist/],
    ["", /is a folder/],
  ])("cannot be read from an unreadable file: %j", (name, message) => {
    expect(() => readEventLines(join(folder, name))).toThrow(message);
  });
});
