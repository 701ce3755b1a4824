import { parseBronzeKey, spans, decodeBronze } from "../bronze/bronze-object.ts";
import { listBronze, type BronzeObject } from "../bronze/list-bronze.ts";
import type { Snapshot } from "../delta/table.ts";
import { readColumns } from "../parquet/read-columns.ts";
import type { ObjectStore, OnProgress } from "../ports.ts";
import { consumedAt, judgedRecords } from "../silver/transactions.ts";
import { publishQuarantine } from "../silver/quarantine-table.ts";
import { refineSilver, type RefineContext } from "../silver/refine-silver.ts";
import type { StagingTables } from "./staging-tables.ts";
import { type RecordPosition, recordPosition } from "../domain/stream-position.ts";

/** More than in a regular run: latency does not matter here, and fewer commits rewrite fewer files. */
const maxEvents = 100_000;

/**
 * Refines into the staging tables what silver had consumed at a version, with the current rules and menu, in the order
 * in which silver consumed it: of two copies of a record, the first is the redacted one. A second call continues with new
 * objects. Returns the consumed objects. Throws if an object was replaced or removed since the first call.
 */
export async function replayBronze(
  refinery: RefineContext,
  {
    staging,
    snapshot,
    onProgress = () => {},
  }: { staging: StagingTables; snapshot: Snapshot; onProgress?: OnProgress | undefined },
): Promise<BronzeObject[]> {
  // All of an object of which silver has judged some records: later runs find the others where they have been judged.
  const listed = (await listBronze(refinery.store, refinery.stream)).filter(
    (object) => judgedRecords(snapshot, object) > 0,
  );
  // Objects with expired keys come first, in the order of their hours: the sort is stable.
  const consumed = listed.toSorted((a, b) => consumedAt(snapshot, a) - consumedAt(snapshot, b));
  const { store, silver, quarantine } = staging;
  await checkTaken(staging, consumed);
  const replay: RefineContext = {
    ...refinery,
    store,
    silver,
    quarantine,
    listWork: async ({ transactions }) => ({ objects: consumed.filter(({ key }) => !transactions.has(key)) }),
  };
  for (;;) {
    const { remaining } = await refineSilver(replay, { maxEvents });
    onProgress(consumed.length - remaining, consumed.length, "bronze objects");
    if (remaining === 0) break;
  }
  await publishQuarantine({ silver, quarantine });
  return consumed;
}

/** Checks that replayed objects still exist: a replacement's records would be dropped as redelivered. */
async function checkTaken({ silver }: StagingTables, listed: readonly BronzeObject[]): Promise<void> {
  const existing = new Set(listed.map(({ key }) => key));
  const { transactions } = await silver.snapshot();
  const gone = [...transactions.keys()].find((key) => parseBronzeKey(key) !== undefined && !existing.has(key));
  if (gone === undefined) return;
  throw new Error(
    `bronze object ${gone} was replaced or removed during the rebuild, for example by forgetting a customer: ` +
      "nothing was published; start the rebuild again",
  );
}

/**
 * Returns the keys of missing bronze objects: objects that silver's log or the quarantine names and that do not exist.
 * A redacted object counts as the original: its key differs only in the hash.
 */
export async function findMissingObjects(
  { store, stream, quarantine }: Pick<RefineContext, "store" | "stream" | "quarantine">,
  { snapshot, listed }: { snapshot: Snapshot; listed: readonly BronzeObject[] },
): Promise<string[]> {
  const names = new Set(snapshot.transactions.keys());
  for (const { path } of (await quarantine.snapshot()).files.values()) {
    const body = await store.get(`${quarantine.root}/${path}`);
    if (body === undefined) throw new Error(`quarantine file ${path} is in the log but not in the lake`);
    for (const key of (await readColumns(body, ["bronze_key"]))["bronze_key"]!) names.add(String(key));
  }
  const existing = new Set(listed.map(({ key }) => withoutHash(key)));
  return [...names]
    .filter((key) => parseBronzeKey(key)?.stream === stream && !existing.has(withoutHash(key)))
    .toSorted();
}

function withoutHash(key: string): string {
  return key.slice(0, key.lastIndexOf("-"));
}

/** Returns which records no bronze object contains. Reads only objects whose key range may contain one. */
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
