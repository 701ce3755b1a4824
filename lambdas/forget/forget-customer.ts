import { publishQuarantine } from "../silver/quarantine.ts";
import type { Refinery } from "../silver/refine-silver.ts";
import type { Eraser, StreamRecord } from "../ports.ts";
import { eraseOldVersions } from "./erase-remains.ts";
import { dropPseudonym, takePseudonym } from "./pseudonym.ts";
import { findInBronze, writeRedacted } from "./redact-bronze.ts";
import { redactQuarantine } from "./redact-quarantine.ts";
import { redactSilver } from "./redact-silver.ts";

/** What forgetting a customer changed. */
export interface ForgetSummary {
  /** Events that named the customer, of any kind. */
  events: number;
  records: number;
  /** Bronze objects that were replaced by others without the customer. */
  bronzeObjects: number;
  /** Orders whose rows in silver have another customer key now. */
  orders: number;
  /** Rows of the quarantine whose payload was redacted. */
  quarantined: number;
  /** Data files of earlier versions that were removed: they cannot be read by time travel any more. */
  erasedFiles: number;
  /** Records that were rewritten in the stream itself. */
  streamRecords: number;
  /** Records that a stream which cannot be rewritten still holds until its retention ends. */
  streamKeeps: number;
  /** Quarantined records that cannot be unpacked, and so were not looked into. */
  unreadable: number;
  /** True where an earlier run had not come to its end, and this one went on from there. */
  isResumed: boolean;
}

/** The stream's part: it rewrites its records, or says how many of them it keeps for a while. */
export type RedactStream = (records: readonly StreamRecord[]) => Promise<{ rewritten: number; kept: number }>;

export interface ForgetPlace {
  refinery: Refinery;
  eraser: Eraser;
  redactStream: RedactStream;
}

/**
 * Takes a customer out of stream, bronze, silver and quarantine. All that has landed has to be refined before. Each step may
 * be repeated, and what names the customer is removed last: a run that was killed is completed by the next one.
 */
export async function forgetCustomer(
  { refinery, eraser, redactStream }: ForgetPlace,
  customerId: string,
): Promise<ForgetSummary> {
  const { store, silver, quarantine, clock } = refinery;
  const token = refinery.customerKey(customerId);
  const { value: pseudonym, isResumed } = await takePseudonym(store, token);
  await publishQuarantine(refinery);
  const snapshot = await silver.snapshot();
  const found = await findInBronze(refinery, { customerId, pseudonym }, { snapshot, by: refinery });
  const { orders } = found.keys.size === 0 ? { orders: 0 } : await redactSilver(refinery, found);
  const { payloads: quarantined, unreadable } = await redactQuarantine(refinery, found);
  await writeRedacted(refinery, found);
  const { rewritten, kept } = await redactStream(found.records);
  const erasedFiles = await eraseOldVersions({ store, eraser, clock }, { silver, quarantine, token });
  for (const key of found.keys.keys()) await eraser.erase(key);
  await dropPseudonym(eraser, token);
  return {
    events: found.places.size,
    records: found.records.length,
    bronzeObjects: found.keys.size,
    orders,
    quarantined,
    erasedFiles,
    streamRecords: rewritten,
    streamKeeps: kept,
    unreadable,
    isResumed,
  };
}
