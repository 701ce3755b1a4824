import { parseBronzeKey, spans, decodeBronze } from "../bronze/bronze-object.ts";
import { listBronze, type BronzeObject } from "../bronze/list-bronze.ts";
import type { Snapshot } from "../delta/table.ts";
import { readColumns } from "../parquet/read-columns.ts";
import type { ObjectStore } from "../ports.ts";
import { isConsumed, takenAt } from "../silver/transactions.ts";
import { publishQuarantine } from "../silver/quarantine-table.ts";
import { refineSilver, type Refinery } from "../silver/refine-silver.ts";
import type { StagingTables } from "./staging-tables.ts";
import { type RecordPosition, recordPosition } from "../domain/stream-position.ts";

/** More than a run of the stream takes: nobody waits for these orders, and fewer commits rewrite fewer files. */
const maxEvents = 100_000;

/**
 * Refines into the side lake what silver had consumed at a version, by the rules and the menu of now, in the order in which
 * silver took it: of two events that contradict each other the first one stands. A second call goes on with what is new.
 * Gives its objects.
 */
export async function replayBronze(
  refinery: Refinery,
  { staging, snapshot }: { staging: StagingTables; snapshot: Snapshot },
): Promise<BronzeObject[]> {
  const listed = (await listBronze(refinery.store, refinery.stream)).filter((object) => isConsumed(snapshot, object));
  // Names that have expired come first, in the order of their hours; the sort keeps the order of the keys.
  const consumed = listed.toSorted((a, b) => takenAt(snapshot, a) - takenAt(snapshot, b));
  const { store, silver, quarantine } = staging;
  await checkTaken(staging, consumed);
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
async function checkTaken({ silver }: StagingTables, listed: readonly BronzeObject[]): Promise<void> {
  const there = new Set(listed.map(({ key }) => key));
  const { transactions } = await silver.snapshot();
  const gone = [...transactions.keys()].find((key) => parseBronzeKey(key) !== undefined && !there.has(key));
  if (gone === undefined) return;
  throw new Error(
    `bronze object ${gone} was replaced or removed while it was worked out anew, as forgetting a customer does: ` +
      "nothing was published; rebuild again",
  );
}

/**
 * Names of bronze objects that silver's log says it took, or that the quarantine was read from, and that are not there. An
 * object that a customer was taken out of stands under the same name with another hash.
 */
export async function findMissingObjects(
  { store, stream, quarantine }: Pick<Refinery, "store" | "stream" | "quarantine">,
  { snapshot, listed }: { snapshot: Snapshot; listed: readonly BronzeObject[] },
): Promise<string[]> {
  const names = new Set(snapshot.transactions.keys());
  for (const { path } of (await quarantine.snapshot()).files.values()) {
    const body = await store.get(`${quarantine.root}/${path}`);
    if (body === undefined) throw new Error(`quarantine file ${path} is named by the log but is not in the lake`);
    for (const key of (await readColumns(body, ["bronze_key"]))["bronze_key"]!) names.add(String(key));
  }
  const there = new Set(listed.map(({ key }) => withoutHash(key)));
  return [...names].filter((key) => parseBronzeKey(key)?.stream === stream && !there.has(withoutHash(key))).toSorted();
}

function withoutHash(key: string): string {
  return key.slice(0, key.lastIndexOf("-"));
}

/** Which of some records are in no bronze object. Only objects whose name lets them hold one are read. */
export async function findMissingRecords(
  store: ObjectStore,
  { listed, records }: { listed: readonly BronzeObject[]; records: readonly RecordPosition[] },
): Promise<Set<string>> {
  const wanted = new Map(records.map((record) => [recordPosition(record), record]));
  for (const object of listed) {
    if (![...wanted.values()].some((record) => spans(object, record))) continue;
    const body = await store.get(object.key);
    if (body === undefined) continue;
    for (const record of await decodeBronze(body)) wanted.delete(recordPosition(record));
  }
  return new Set(wanted.keys());
}
