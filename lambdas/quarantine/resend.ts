import { setTimeout as sleep } from "node:timers/promises";
import { placeOf, resentKey } from "../domain/resent.ts";
import type { EventSink, OutgoingRecord } from "../ports.ts";
import type { ResendPlan } from "./plan-resend.ts";

const recordsAtOnce = 100;
const attempts = 8;
const pauseMs = 200;

/** Where a corrected event stands in the stream. */
export interface Resent {
  shard: string;
  sequenceNumber: string;
}

/**
 * Sends corrected events, each as a record of its own whose partition key names the refused one. Resolves when the stream
 * has acknowledged all; whoever repeats it after an error sends duplicates at the worst, which silver drops.
 */
export async function resend(sink: EventSink, plans: readonly ResendPlan[]): Promise<Resent[]> {
  const resent: Resent[] = [];
  for (let start = 0; start < plans.length; start += recordsAtOnce) {
    const records = plans.slice(start, start + recordsAtOnce).map(({ refused, text }) => ({
      partitionKey: resentKey(placeOf(refused)),
      data: Buffer.from(text!),
    }));
    resent.push(...(await putAll(sink, records)));
  }
  return resent;
}

async function putAll(sink: EventSink, records: readonly OutgoingRecord[]): Promise<Resent[]> {
  const done: Resent[] = [];
  let left = [...records.entries()];
  for (let attempt = 1; ; attempt++) {
    const results = await sink.putRecords(left.map(([, record]) => record));
    const failed = left.filter((_, index) => "errorCode" in results[index]!);
    for (const [index, [place]] of left.entries()) {
      const result = results[index]!;
      if ("sequenceNumber" in result) done[place] = result;
      else if (attempt === attempts) throw new Error(`the stream does not take the event: ${result.errorMessage}`);
    }
    if (failed.length === 0) return done;
    left = failed;
    await sleep(pauseMs * attempt);
  }
}
