import { publishQuarantine } from "../silver/quarantine.ts";
import type { Refinery } from "../silver/refine-silver.ts";
import type { Eraser, StreamRecord } from "../ports.ts";
import { eraseOldVersions } from "./erase-remains.ts";
import { dropPseudonym, takePseudonym } from "./pseudonym.ts";
import { findInBronze, formerObjects, writeRedacted } from "./redact-bronze.ts";
import { redactQuarantine } from "./redact-quarantine.ts";
import { redactSilver } from "./redact-silver.ts";
import { rowsOfToken } from "./rows-of-token.ts";

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
 * be repeated, and what names the customer is removed last: a run that was killed is completed by the next one. Throws
 * at the end where silver holds orders of theirs that bronze does not.
 */
export async function forgetCustomer(
  { refinery, eraser, redactStream }: ForgetPlace,
  customerId: string,
): Promise<ForgetSummary> {
  const { store, silver, quarantine, clock } = refinery;
  const token = refinery.customerKey(customerId);
  const { value: pseudonym, isResumed } = await takePseudonym(store, token);
  await publishQuarantine(refinery);
  const before = await rowsOfToken(refinery, token);
  const snapshot = await silver.snapshot();
  const found = await findInBronze(refinery, { customerId, pseudonym }, { snapshot, by: refinery });
  const { orders } = found.keys.size === 0 ? { orders: 0 } : await redactSilver(refinery, found);
  const { payloads: quarantined, unreadable } = await redactQuarantine(refinery, found);
  await writeRedacted(refinery, found);
  const { rewritten, kept } = await redactStream(found.records);
  const erasedFiles = await eraseOldVersions({ store, eraser, clock }, { silver, quarantine, token });
  for (const key of formerObjects(found)) await eraser.erase(key);
  await checkSilver(refinery, { customerId, token, before });
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

const mostNamed = 5;

/** Throws where a row that was silver's at the beginning still bears the token; what came meanwhile is a new customer's. */
async function checkSilver(
  refinery: Refinery,
  { customerId, token, before }: { customerId: string; token: string; before: ReadonlyMap<string, string> },
): Promise<void> {
  if (before.size === 0) return;
  const left = [...(await rowsOfToken(refinery, token))].filter(([place]) => before.has(place));
  if (left.length === 0) return;
  const named = left.slice(0, mostNamed).map(([place, orderId]) => `${orderId} (from ${place})`);
  throw new Error(
    `customer ${customerId} is forgotten where bronze names them, but ${left.length} orders of theirs are left in silver, ` +
      `and bronze holds no event of them: ${named.join(", ")}${left.length > mostNamed ? ", ..." : ""}; ` +
      "bring the missing bronze objects back and forget again; where none is missing, pizza rebuild puts silver right",
  );
}
