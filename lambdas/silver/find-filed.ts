import type { AddFile, DeltaTable, Snapshot } from "../lake/delta-table.ts";
import { readColumns } from "../lake/read-columns.ts";
import type { ObjectStore } from "../ports.ts";
import { unpublishedFiles } from "./quarantine.ts";
import type { RefusedEvent } from "./read-events.ts";

const keyColumns = ["shard", "sequence_number", "record_index"];

/**
 * Which of these refused events the quarantine holds already, as of a version of silver: a record that comes again is
 * filed once. Only files with events of the same time of arrival are read, and new events arrive later than all filed ones.
 */
export async function findFiled(
  place: { store: ObjectStore; silver: DeltaTable; quarantine: DeltaTable; snapshot: Snapshot },
  refused: readonly RefusedEvent[],
): Promise<Set<RefusedEvent>> {
  const found = new Set<RefusedEvent>();
  if (refused.length === 0) return found;
  const { store, silver, quarantine, snapshot } = place;
  const filed = await quarantine.snapshot();
  const staged = await unpublishedFiles(silver, snapshot.version, filed);
  const byPlace = new Map(
    refused.map((event) => {
      const { shard, sequenceNumber, recordIndex } = event.position;
      return [placeOf([shard, sequenceNumber, recordIndex]), event];
    }),
  );
  for (const file of [...filed.files.values(), ...staged]) {
    if (!refused.some(({ arrivedAt }) => holds(file, arrivedAt))) continue;
    const body = await store.get(`${quarantine.root}/${file.path}`);
    if (body === undefined) throw new Error(`quarantine file ${file.path} is named by the log but is not in the lake`);
    const columns = await readColumns(body, keyColumns);
    for (const row of columns["shard"]!.keys()) {
      const event = byPlace.get(placeOf(keyColumns.map((name) => columns[name]![row])));
      if (event !== undefined) found.add(event);
    }
  }
  return found;
}

function placeOf(position: readonly unknown[]): string {
  return position.join("/");
}

/** Whether a file may hold an event that arrived then; one from a release that kept no bounds of it is taken not to. */
function holds({ stats }: Pick<AddFile, "stats">, arrivedAt: number): boolean {
  const [first, last] = [stats?.minValues["arrived_at"], stats?.maxValues["arrived_at"]];
  if (typeof first !== "string" || typeof last !== "string") return false;
  const milliseconds = arrivedAt / 1000;
  return Date.parse(first) <= milliseconds && milliseconds <= Date.parse(last);
}
