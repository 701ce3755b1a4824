import { describe, expect, it } from "vitest";
import type { Receipt } from "../../../pipeline/domain/receipt.ts";
import type { PutResult } from "../../../pipeline/ports.ts";
import { canMountDisk, onSmallDisk } from "./small-disk.ts";

const isPossible = canMountDisk();
if (!isPossible)
  console.warn("full disk: not tested, this machine lets nobody mount a tmpfs (Linux with unshare does)");

const advice = /disk.*free some space|free some space.*disk/;

describe.skipIf(!isPossible)("a full disk", () => {
  it("makes the stream reject records that it cannot store, until there is space again", async () => {
    const seen = await onSmallDisk<{ kept: string[]; rejections: string[]; found: string[] }>("stream");
    expect(seen.kept).toEqual(["0", "4"]);
    expect(seen.found).toEqual(seen.kept);
    expect(seen.rejections).toHaveLength(3);
    for (const message of seen.rejections) expect(message).toMatch(advice);
  });

  it("leaves no partial bronze object, and the same landing succeeds once there is space", async () => {
    const seen = await onSmallDisk<{ rejections: string[]; objects: number }>("landing");
    expect(seen.rejections.length).toBeGreaterThan(5);
    for (const message of seen.rejections) expect(message).toMatch(advice);
    expect(seen.objects).toBe(1);
  });

  it("leaves silver unchanged wherever a write fails, and every line is added once when there is space", async () => {
    const seen = await onSmallDisk<Record<"version" | "lines" | "sentLines" | "again", number> & SilverSeen>("silver");
    expect(seen.rejections.length).toBeGreaterThan(1);
    for (const message of seen.rejections) expect(message).toMatch(advice);
    expect(seen.rejections.some((message) => message.includes("_delta_log"))).toBe(true);
    expect(seen.versions).toEqual([-1]);
    expect(seen).toMatchObject({ version: 0, lines: seen.sentLines, again: 0 });
  });

  it("is reported by the pipeline, which still answers queries and later balances with every accepted order", async () => {
    const seen = await onSmallDisk<PipelineSeen>("pipeline");
    expect(seen.rejected).toMatchObject({ errorCode: "InternalFailure", errorMessage: expect.stringMatching(advice) });
    expect(seen.lines.find((line) => line.startsWith("landing "))).toMatch(advice);
    expect(seen.whileFull.lines).toBeGreaterThan(0);
    expect(seen.taken).toHaveProperty("sequenceNumber");
    expect(seen.sentAgain).toHaveProperty("sequenceNumber");
    expect(seen.findings).toEqual([]);
    expect(seen.records.sent).toBe(3);
    expect(seen.events).toMatchObject({ distinct: 180, accepted: 180, pending: 0 });
    expect(seen.gold.orders).toBe(180);
  });
});

describe.skipIf(!isPossible)("a lake folder that turns read-only", () => {
  it("is reported by the pipeline, which keeps new records in its stream and continues once it can write again", async () => {
    const seen = await onSmallDisk<ReadOnlySeen>("readOnlyLake");
    expect(seen.taken).toHaveProperty("sequenceNumber");
    expect(seen.lines.find((line) => line.startsWith("landing "))).toMatch(/mounted read-only/);
    expect(seen.whileReadOnly.lines).toBeGreaterThan(0);
    expect(seen.waiting).toBe(1);
    expect(seen.findings).toEqual([]);
    expect(seen.events).toMatchObject({ distinct: 120, accepted: 120, pending: 0 });
    expect(seen.gold.orders).toBe(120);
  });
});

interface ReadOnlySeen extends Pick<Receipt, "findings" | "events" | "gold"> {
  taken: PutResult;
  lines: string[];
  whileReadOnly: { lines: number };
  waiting: number;
}

interface SilverSeen {
  rejections: string[];
  versions: number[];
}

interface PipelineSeen extends Pick<Receipt, "findings" | "records" | "events" | "gold"> {
  rejected: PutResult;
  taken: PutResult;
  sentAgain: PutResult;
  lines: string[];
  whileFull: { lines: number };
}
