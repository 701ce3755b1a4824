import { describe, expect, it } from "vitest";
import { backup, restore } from "../../bin/commands/backup.ts";
import { credentials } from "../../bin/commands/bi.ts";
import { corrections } from "../../bin/commands/corrections.ts";
import { cost } from "../../bin/commands/cost.ts";
import { demo } from "../../bin/commands/demo.ts";
import { doctor } from "../../bin/commands/doctor.ts";
import { forget } from "../../bin/commands/forget.ts";
import { query, run, verify } from "../../bin/commands/inspect.ts";
import { lineage } from "../../bin/commands/lineage.ts";
import { quality } from "../../bin/commands/quality.ts";
import { rebuild } from "../../bin/commands/rebuild.ts";
import { produce, replay } from "../../bin/commands/send.ts";
import { clean, restart, start, stop } from "../../bin/commands/service.ts";
import { status } from "../../bin/commands/status.ts";
import { logs } from "../../bin/commands/logs.ts";
import { trace } from "../../bin/commands/trace.ts";
import { calendarDay, parseMoment, readOptions } from "../../bin/options.ts";

describe("a point in time", () => {
  it.each([
    ["2026-01-31", "2026-01-31T00:00:00.000Z"],
    ["1970-01-01", "1970-01-01T00:00:00.000Z"],
    ["2024-02-29", "2024-02-29T00:00:00.000Z"],
    ["2026-01-31T18:00Z", "2026-01-31T18:00:00.000Z"],
    ["2026-01-31T18:00:00.5-05:00", "2026-01-31T23:00:00.500Z"],
  ])("%s is understood", (text, moment) => {
    expect(parseMoment(text)).toBe(Date.parse(moment));
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
  ])("%j is not a point in time", (text) => expect(parseMoment(text)).toBeUndefined());
});

it("a day must exist in the calendar", () => {
  expect(["2026-01-31", "2026-02-29", "2026-01-31T00:00Z", "yesterday"].map(calendarDay)).toEqual([
    "2026-01-31",
    undefined,
    undefined,
    undefined,
  ]);
});

describe("positional arguments", () => {
  const none = {
    backup,
    clean,
    corrections,
    cost,
    credentials,
    demo,
    doctor,
    lineage,
    logs,
    produce,
    quality,
    rebuild,
  };
  const service = { restart, start, status, stop, verify };
  it.each(Object.entries({ ...none, ...service }))("pizza %s takes none and rejects the first", (_, command) => {
    expect(readOptions(command, []).words).toEqual([]);
    expect(() => readOptions(command, ["extra"])).toThrow(/^unexpected argument extra\nusage: \.\/pizza /);
  });

  it.each(Object.entries({ forget, query, replay, restore, run, trace }))(
    "pizza %s takes one and rejects the second",
    (_, command) => {
      expect(readOptions(command, ["one"]).words).toEqual(["one"]);
      expect(() => readOptions(command, ["one", "extra"])).toThrow(/^unexpected argument extra/);
    },
  );
});
