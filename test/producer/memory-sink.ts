import { gunzipSync, zstdDecompressSync } from "node:zlib";
import type { EventSink, OutgoingRecord, PutResult } from "../../pipeline/ports.ts";

/** The result of a call: all stored, some rejected, none stored, or stored with a lost response. */
export type Mood = "fine" | "some" | "throws" | "answer lost";

export interface MemorySink extends EventSink {
  stored: OutgoingRecord[];
  calls: OutgoingRecord[][];
}

/** An in-memory stream that fails according to its moods, one per call, then works; it yields before it responds. */
export function createMemorySink({
  shards = 4,
  moods = [],
}: { shards?: number; moods?: readonly Mood[] } = {}): MemorySink {
  const stored: OutgoingRecord[] = [];
  const calls: OutgoingRecord[][] = [];
  return {
    stored,
    calls,
    openShards: async () => shards,
    async putRecords(records) {
      const mood = moods[calls.length] ?? "fine";
      calls.push([...records]);
      await soon();
      if (mood === "throws") throw new Error("connection reset");
      const results = records.map((record, index): PutResult => {
        if (mood === "some" && index % 2 === 0) return { errorCode: "Throttled", errorMessage: "slow down" };
        return { shard: "0", sequenceNumber: String(stored.push(record)) };
      });
      if (mood === "answer lost") throw new Error("socket hang up");
      return results;
    },
  };
}

/** A sleep that takes one turn of the event loop, whatever its duration. */
export function soon(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** The events' bytes in a record, as latin1 to preserve invalid UTF-8. */
export function unpack({ data }: OutgoingRecord): string[] {
  const isZstd = Buffer.from(data.subarray(0, 4)).equals(Buffer.from([0x28, 0xb5, 0x2f, 0xfd]));
  const isGzip = data[0] === 0x1f && data[1] === 0x8b;
  if (!isZstd && !isGzip) return [Buffer.from(data).toString("latin1")];
  const text = isZstd ? zstdDecompressSync(data) : gunzipSync(data);
  return text.toString("latin1").split("\n");
}
