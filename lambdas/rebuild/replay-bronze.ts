import { parseBronzeKey } from "../bronze/bronze-key.ts";
import { listBronze, type BronzeObject } from "../bronze/list-bronze.ts";
import type { Snapshot } from "../lake/delta-table.ts";
import { isConsumed, takenAt } from "../silver/list-pending.ts";
import { publishQuarantine } from "../silver/quarantine.ts";
import { refineSilver, type Refinery } from "../silver/refine-silver.ts";
import type { SideLake } from "./side-lake.ts";

/** More than a run of the stream takes: nobody waits for these orders, and fewer commits rewrite fewer files. */
const maxEvents = 100_000;

/**
 * Refines into the side lake what silver had consumed at a version, by the rules and the menu of now, in the order in which
 * silver took it: of two events that contradict each other the first one stands. A second call goes on with what is new.
 * Gives its objects.
 */
export async function replayBronze(
  refinery: Refinery,
  { side, snapshot }: { side: SideLake; snapshot: Snapshot },
): Promise<BronzeObject[]> {
  const listed = (await listBronze(refinery.store, refinery.stream)).filter((object) => isConsumed(snapshot, object));
  // Names that have expired come first, in the order of their hours; the sort keeps the order of the keys.
  const consumed = listed.toSorted((a, b) => takenAt(snapshot, a) - takenAt(snapshot, b));
  const { store, silver, quarantine } = side;
  await checkTaken(side, consumed);
  const replay: Refinery = {
    ...refinery,
    store,
    silver,
    quarantine,
    listWork: async ({ transactions }) => ({ objects: consumed.filter(({ key }) => !transactions.has(key)) }),
  };
  for (;;) {
    const { remaining } = await refineSilver(replay, { maxEvents });
    if (remaining === 0) break;
  }
  await publishQuarantine({ silver, quarantine });
  return consumed;
}

/** What was taken before has to be there as it was: what replaces it would be dropped as a record that comes again. */
async function checkTaken({ silver }: SideLake, listed: readonly BronzeObject[]): Promise<void> {
  const there = new Set(listed.map(({ key }) => key));
  const { transactions } = await silver.snapshot();
  const gone = [...transactions.keys()].find((key) => parseBronzeKey(key) !== undefined && !there.has(key));
  if (gone === undefined) return;
  throw new Error(
    `bronze object ${gone} was replaced or removed while it was worked out anew, as forgetting a customer does: ` +
      "nothing was published; rebuild again",
  );
}
