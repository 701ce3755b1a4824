import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { frameSize, readFrame, writeFrame, type Frame } from "../../../targets/local/stream/segment.ts";
import { openGoldPipeline, type GoldPipeline } from "../gold/gold-fixture.ts";
import { sellMessily } from "../quality/messy-day.ts";
import { openReceiptPipeline, type ReceiptPipeline } from "./receipt-fixture.ts";

let gold: GoldPipeline;
let pipeline: ReceiptPipeline;
let positions: string[];
beforeAll(async () => {
  gold = await openGoldPipeline();
});
afterAll(() => gold.close());
beforeEach(async () => {
  pipeline = await openReceiptPipeline(gold);
  const { records } = await sellMessily(pipeline);
  positions = records.map(({ shard, sequenceNumber }) => `${shard}/${sequenceNumber}`);
});
afterEach(() => pipeline.close());

/** Returns the records of the segment file and the offset of each. */
function readFrames(): { frames: Frame[]; starts: number[] } {
  const bytes = readFileSync(pipeline.segment);
  const [frames, starts]: [Frame[], number[]] = [[], []];
  for (let at = 0; at < bytes.length;) {
    const frame = readFrame(bytes, at);
    if (typeof frame === "string") throw new Error(`the segment is ${frame} at ${at}`);
    frames.push(frame);
    starts.push(at);
    at = frame.end;
  }
  return { frames, starts };
}

/** Rewrites the log as if it had never held anything else: its numbers and checksums are valid. */
function writeFrames(frames: readonly Frame[]): void {
  const bytes = Buffer.alloc(frames.reduce((sum, { partitionKey, data }) => sum + frameSize(partitionKey, data), 0));
  let at = 0;
  for (const [ordinal, frame] of frames.entries()) at = writeFrame(bytes, at, { ...frame, ordinal });
  writeFileSync(pipeline.segment, bytes);
}

async function found(): Promise<string[]> {
  const { findings } = await pipeline.verify();
  return findings.flatMap(({ invariant, sentence, examples }) =>
    examples.map((example) => `${invariant}: ${sentence}: ${example}`),
  );
}

it("finds nothing in a reopened log", async () => {
  await pipeline.reopenStream();
  expect(await found()).toEqual([]);
});

it("reports the last record as missing if it is dropped from the log", async () => {
  const { frames } = readFrames();
  writeFrames(frames.slice(0, -1));
  await pipeline.reopenStream();
  expect(await found()).toEqual([`sent = landed: 1 records in bronze were never in the stream: ${positions.at(-1)}`]);
});

it("reports a record in the middle as missing, even if the log was made to look complete", async () => {
  const { frames } = readFrames();
  writeFrames(frames.filter((_, index) => index !== 2));
  await pipeline.reopenStream();
  const later = positions.slice(2, -1);
  expect(await found()).toEqual([
    ...later.map(
      (position) => `bronze is raw: ${later.length} records in bronze differ from what the stream holds: ${position}`,
    ),
    `sent = landed: 1 records in bronze were never in the stream: ${positions.at(-1)}`,
  ]);
});

it("detects a payload that was changed together with its checksum", async () => {
  const { frames } = readFrames();
  writeFrames(frames.map((frame, index) => (index === 1 ? { ...frame, data: Buffer.from("other") } : frame)));
  await pipeline.reopenStream();
  expect(await found()).toEqual([
    `bronze is raw: 1 records in bronze differ from what the stream holds: ${positions[1]}`,
  ]);
});

it("names the file and byte where a record was cut out of a running pipeline's log, and checks the other layers", async () => {
  const { starts } = readFrames();
  const bytes = readFileSync(pipeline.segment);
  writeFileSync(pipeline.segment, Buffer.concat([bytes.subarray(0, starts[2]), bytes.subarray(starts[3])]));
  expect(await found()).toEqual([
    expect.stringContaining(
      `the stream is whole: 1 parts of the stream cannot be read: Stream segment ${pipeline.segment}: damaged`,
    ),
  ]);
  await expect(pipeline.reopenStream()).rejects.toThrow(
    `Stream segment ${pipeline.segment}: damaged at byte ${starts[2]}`,
  );
  writeFileSync(pipeline.segment, bytes);
  await pipeline.reopenStream();
});
