import type { Mutant } from "../mutant.ts";

const [crash, log] = ["test/local/stream/stream-crash.test.ts", "test/local/stream/stream-log.test.ts"];
const lock = "test/local/stream/stream-crash.test.ts";

/** The producer and the embedded stream. */
export const streamMutants: readonly Mutant[] = [
  {
    guard: "a lane waits for the record that it tries again",
    prevents: "a record is sent over and over before its pause is over",
    file: "lambdas/producer/pump.ts",
    text: "if (lane.busy || first === undefined) continue;",
    replacement: "if (first === undefined) continue;",
    tests: ["test/producer/send-orders.test.ts"],
  },
  {
    guard: "only a result with a sequence number counts as stored",
    prevents: "a throttled record is taken for sent, and lost",
    file: "lambdas/producer/pump.ts",
    text: 'result !== null && "sequenceNumber" in result;',
    replacement: "result !== null;",
    tests: ["test/producer/send-orders.test.ts"],
    only: "only what failed",
  },
  {
    guard: "the limits of a put",
    prevents: "the stream takes what Kinesis would refuse, and landing chokes on it",
    file: "local/stream/put-limits.ts",
    text: "if (data.length > putLimits.recordBytes) {",
    replacement: "if (data.length > Infinity) {",
    tests: [log],
  },
  {
    guard: "the checksum of a record in its segment",
    prevents: "damaged bytes are handed out as a record",
    file: "local/stream/frame.ts",
    text: 'if (crc32(source.subarray(body, end)) !== source.readUInt32BE(offset + 8)) return "damaged";',
    replacement: "",
    tests: [crash],
  },
  {
    guard: "the ordinals of a segment follow one another",
    prevents: "a record that was cut out of the log is not missed",
    file: "local/stream/segment.ts",
    text: 'while (typeof frame === "object" && frame.ordinal === ordinal) {',
    replacement: 'while (typeof frame === "object") {',
    tests: ["test/quality/verify-stream.test.ts", crash],
  },
  {
    guard: "an unfinished record at the end is cut off",
    prevents: "a home that was killed during a put never opens again",
    file: "local/stream/shard-log.ts",
    text: "await scanSegment(last, { maySalvage: true });",
    replacement: "await scanSegment(last);",
    tests: [crash],
  },
  {
    guard: "only a torn end is cut off",
    prevents: "damage in the middle throws away the acknowledged records behind it",
    file: "local/stream/segment.ts",
    text: "if (!maySalvage || (await hasMoreBehind(segment, step.offset, next)))",
    replacement: "if (!maySalvage || next < 0)",
    tests: [crash],
  },
  {
    guard: "a whole record where another one should stand is no torn end",
    prevents: "the last record is thrown away when the one before it was cut out",
    file: "local/stream/segment.ts",
    text: "await readAt(file, offset, segment.size - offset), ordinal);",
    replacement: "await readAt(file, offset + 1, segment.size - offset - 1), ordinal);",
    tests: [crash],
  },
  {
    guard: "arrival never runs backwards in a shard",
    prevents: "a clock that is set back puts new records under hours that are settled",
    file: "local/stream/shard-log.ts",
    text: "const arrivedAt = Math.max(this.lastArrival, this.clock());",
    replacement: "const arrivedAt = this.clock();",
    tests: [log],
  },
  {
    guard: "one process has the stream",
    prevents: "two homes write into one segment",
    file: "local/stream/process-lock.ts",
    text: "if (pid !== undefined) {",
    replacement: "if (pid === -1) {",
    tests: [lock],
    only: "second process",
  },
];
