import { open, rename } from "node:fs/promises";
import { frameSize, writeFrame } from "./frame.ts";
import { newSegment, noteFrame, readSegment, type Segment } from "./segment.ts";
import { dirname } from "node:path";

/**
 * Writes a segment file anew with other data in some of its records, by their ordinals, and puts it in the place of the old
 * one in one step. Gives the segment as it is now.
 */
export async function rewriteSegment(segment: Segment, dataOf: ReadonlyMap<number, Uint8Array>): Promise<Segment> {
  const frames = await readSegment(segment, { from: segment.first, limit: Infinity, maxBytes: Infinity });
  const rewritten = newSegment(dirname(segment.path), segment.first);
  const changed = frames.map((frame) => ({ ...frame, data: dataOf.get(frame.ordinal) ?? frame.data }));
  const bytes = Buffer.alloc(changed.reduce((sum, { partitionKey, data }) => sum + frameSize(partitionKey, data), 0));
  for (const frame of changed) {
    noteFrame(rewritten, frame.ordinal, rewritten.size);
    rewritten.size = writeFrame(bytes, rewritten.size, frame);
  }
  const draft = `${segment.path}.new`;
  const file = await open(draft, "w");
  try {
    await file.writeFile(bytes);
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(draft, segment.path);
  return rewritten;
}
