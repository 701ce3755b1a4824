import { parseBronzeKey } from "../bronze/bronze-object.ts";
import type { BronzeObject } from "../bronze/list-bronze.ts";
import type { DeltaTable, Snapshot } from "../delta/table.ts";
import type { ObjectStore } from "../ports.ts";
import { bringBack, keysSetAside } from "./transactions.ts";

/** Beside the table, so that a run that may write the table may write it. */
const noteKey = "silver/refining.json";
const reasonKey = (key: string) => `silver/set-aside/${key}.json`;

/** Runs that end without a commit while they read one object alone, before it is set aside. */
const mostTries = 3;
/** Tries of an object must span this time, so that an outage or an operator's restarts do not set it aside. */
const leastTriedMs = 5 * 60_000;

/**
 * What a refine run leaves before it reads bronze objects. A run that is killed, by memory that runs out or by its time
 * limit, can say nothing later: the next run sees it by a note whose version is still the table's newest.
 */
interface RefineNote {
  /** Silver's newest version when the run began. */
  version: number;
  /** Keys of the objects that the run would read. */
  keys: string[];
  /** Keys of the objects among which one ended an earlier run, as far as runs have not consumed them since. */
  suspects: string[];
  /** How many runs in a row have begun to read one object alone, and when the first of them did. */
  tries: number;
  since: number;
}

/** What a run may do: read these objects, or set one aside. */
export type RefineAttempt = { read: BronzeObject[] } | { setAside: BronzeObject; reason: string };

/**
 * Chooses the objects that a run reads, and notes them in the lake. After a run that ended without a commit, a run
 * reads half of its objects, and so on, until the objects that end runs are alone. An object that has ended three runs
 * alone, over at least five minutes, is to be set aside.
 */
export async function beginAttempt(
  store: ObjectStore,
  { snapshot: { version }, pending, now }: { snapshot: Snapshot; pending: readonly BronzeObject[]; now: number },
): Promise<RefineAttempt> {
  const note = await readNote(store);
  const hasFailed = note.version === version;
  const named = new Set(hasFailed ? note.keys : note.suspects);
  const suspects = pending.filter(({ key }) => named.has(key));
  const isAlone = hasFailed && note.keys.length === 1 && suspects.length === 1;
  if (isAlone && note.tries >= mostTries && now - note.since >= leastTriedMs) {
    return { setAside: suspects[0]!, reason: `${note.tries} runs ended without a commit while they read it` };
  }
  const read = suspects.length === 0 ? [...pending] : suspects.slice(0, Math.ceil(suspects.length / 2));
  const next: RefineNote = {
    version,
    keys: read.map(({ key }) => key),
    suspects: suspects.map(({ key }) => key),
    tries: isAlone ? note.tries + 1 : 1,
    since: isAlone ? note.since : now,
  };
  await store.put(noteKey, Buffer.from(JSON.stringify(next)));
  return { read };
}

/** Returns the note of the last run; a damaged one says nothing, and the next run replaces it. */
async function readNote(store: ObjectStore): Promise<RefineNote> {
  const nothing = { version: NaN, keys: [], suspects: [], tries: 0, since: 0 };
  const bytes = await store.get(noteKey);
  return bytes === undefined ? nothing : { ...nothing, ...parseObject(bytes) };
}

function parseObject(bytes: Uint8Array): object {
  try {
    return Object(JSON.parse(Buffer.from(bytes).toString()));
  } catch {
    return {};
  }
}

/** A bronze object that no run reads until it is brought back. */
export interface ObjectSetAside {
  key: string;
  /** Stream records in the object, by its key. */
  records: number;
  /** When it was set aside (ISO 8601), and why; null if the lake's note about it is lost. */
  setAsideAt: string | null;
  reason: string | null;
}

/** Stores why an object is set aside; the commit that sets it aside follows. */
export async function noteReason(
  store: ObjectStore,
  { key, reason, now }: { key: string; reason: string; now: number },
) {
  const note = { setAsideAt: new Date(now).toISOString(), reason };
  await store.put(reasonKey(key), Buffer.from(JSON.stringify(note)));
}

/** Lists the bronze objects that are set aside as of a version of silver, by key. */
export async function listSetAside(store: ObjectStore, snapshot: Snapshot): Promise<ObjectSetAside[]> {
  return await Promise.all(
    keysSetAside(snapshot)
      .toSorted()
      .map(async (key) => {
        const bytes = await store.get(reasonKey(key));
        const unknown = { setAsideAt: null, reason: null };
        const note: Pick<ObjectSetAside, "setAsideAt" | "reason"> = { ...unknown, ...(bytes && parseObject(bytes)) };
        return { key, records: parseBronzeKey(key)?.count ?? 0, setAsideAt: note.setAsideAt, reason: note.reason };
      }),
  );
}

/**
 * Lets the next refine run read bronze objects that were set aside, all of them by default, in one commit. Returns
 * their keys. Throws if a given object is not set aside.
 */
export async function bringBackObjects(silver: DeltaTable, wanted?: readonly string[]): Promise<string[]> {
  for (;;) {
    const snapshot = await silver.snapshot();
    const setAside = keysSetAside(snapshot).toSorted();
    const unknown = wanted?.find((key) => !setAside.includes(key));
    if (unknown !== undefined) throw new Error(`${unknown} is not a bronze object that is set aside`);
    const keys = wanted ?? setAside;
    if (keys.length === 0) return [];
    const result = await silver.commit({
      readVersion: snapshot.version,
      operation: "BRING BACK",
      adds: [],
      removes: [],
      transactions: bringBack(keys, snapshot),
      operationMetrics: { broughtBack: keys.length },
    });
    if (result.committed) return [...keys];
  }
}
