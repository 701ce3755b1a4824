import { readFileSync } from "node:fs";
import { errorCode } from "../lambdas/adapters/error-code.ts";
import type { Outgoing } from "../lambdas/producer/outgoing.ts";
import { fitsRecord } from "../lambdas/producer/send-orders.ts";

/** A line that no record holds; lines count from 1. */
export interface LongLine {
  line: number;
  bytes: number;
}

/**
 * The lines of a file as events, whatever they hold, and those that are too long for any record. Throws where the file cannot
 * be read.
 */
export function readEventLines(path: string): { events: Outgoing[]; tooLong: LongLine[] } {
  const bytes = readFile(path);
  const events: Outgoing[] = [];
  const tooLong: LongLine[] = [];
  for (let start = 0, line = 1; start < bytes.length; line++) {
    const newline = bytes.indexOf(10, start);
    const end = newline === -1 ? bytes.length : newline;
    const event = bytes.subarray(start, end);
    if (fitsRecord(event)) events.push({ producerId: `file ${path}`, bytes: event });
    else tooLong.push({ line, bytes: event.length });
    start = end + 1;
  }
  return { events, tooLong };
}

const reasons: Record<string, string> = {
  ENOENT: "is not there",
  EISDIR: "is a folder",
  EACCES: "may not be read by you",
};

function readFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const reason = reasons[errorCode(cause)] ?? `cannot be read (${(cause as Error).message})`;
    throw new Error(`${path} ${reason}: give a file with one event a line`, { cause });
  }
}
