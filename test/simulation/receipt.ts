import { loadChecks, loadGoldSql } from "../../adapters/project-files.ts";
import type { LakeQuery, Warehouse } from "../../pipeline/ports.ts";

import { verifyReceipt } from "../../pipeline/reconciliation/verify-receipt.ts";
import type { RefineContext } from "../../pipeline/silver/refine-silver.ts";
import type { Stream } from "./stream.ts";
import { recordPosition } from "../../pipeline/domain/stream-position.ts";

const texts = { goldSql: loadGoldSql(), checks: loadChecks() };

/**
 * The real receipt of a finished history. Every finding is a violation, except the tills' numbers that were never sent:
 * the receipt must name these, unless unreadable events may have had them.
 */
export async function alertReceipt(
  sources: RefineContext & { lake: LakeQuery; warehouse: Warehouse },
  { records: sent, neverSent }: Pick<Stream, "records" | "neverSent">,
): Promise<string[]> {
  const streamContents = {
    isComplete: true,
    async *records() {
      yield* sent;
    },
    isConfirmed: () => true,
    onFailure: async () => ({ positions: new Set<string>(), unreadable: [] }),
  };
  const { findings, records, events } = await verifyReceipt({ ...sources, ...texts, streamContents });
  const gaps = findings.filter(({ invariant }) => invariant === "no gap in a till's numbers");
  const found = findings
    .filter((finding) => neverSent.size === 0 || !gaps.includes(finding))
    .map(({ invariant, sentence, examples }) => `receipt, ${invariant}: ${sentence}: ${examples.join("; ")}`);
  const isReadable = sent.every(({ events: all }) => all.every(({ producer }) => producer !== undefined));
  const named = gaps.flatMap(({ examples }) => examples.map((example) => example.split(":")[0]!));
  for (const till of neverSent.keys()) {
    if (isReadable && !named.includes(till)) found.push(`receipt: ${till} lacks numbers, and that is not said`);
  }
  const distinct = new Set(sent.map(recordPosition)).size;
  if (records.sent !== distinct) found.push(`receipt: ${records.sent} records for ${distinct}`);
  const rejected = Object.values(events.quarantined).reduce((sum, count) => sum + count, 0);
  const placed = events.accepted + events.eventDuplicates + events.supersededRevisions + rejected;
  if (placed !== events.distinct) found.push(`receipt: ${placed} of ${events.distinct} events have a place`);
  return found;
}
