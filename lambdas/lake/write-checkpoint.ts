import type { ObjectStore } from "../ports.ts";
import { checkpointActions, encodeCheckpoint } from "./delta-checkpoint.ts";
import { checkpointKey, lastCheckpointKey } from "./delta-log.ts";
import { durationMs } from "./delta-properties.ts";
import { applyActions, emptySnapshot, type Snapshot } from "./delta-snapshot.ts";

/** A checkpoint holds the whole table, so a large table waits until a tenth of it is new, within reason. */
const newShare = 0.1;
const longestWait = 10;

/** Whether the log has grown enough beyond its newest checkpoint for another one. */
export function isCheckpointDue(
  { files, transactions, removed }: Snapshot,
  { commits, actions }: { commits: number; actions: number },
  every: number,
): boolean {
  const enough = (files.size + transactions.size + removed.size) * newShare;
  return commits >= every && (actions >= enough || commits >= every * longestWait);
}

/** Writes a checkpoint and returns the snapshot as it now reads: without what has expired. */
export async function writeCheckpoint(
  { store, root }: { store: ObjectStore; root: string },
  snapshot: Snapshot,
  now: number,
): Promise<Snapshot> {
  const configuration = snapshot.metadata?.configuration ?? {};
  const actions = checkpointActions(snapshot, {
    removedBefore: now - durationMs(configuration, "delta.deletedFileRetentionDuration"),
    transactionsBefore: now - durationMs(configuration, "delta.setTransactionRetentionDuration"),
  });
  await store.put(checkpointKey(root, snapshot.version), await encodeCheckpoint(actions), { ifAbsent: true });
  const hint = { version: snapshot.version, size: actions.length };
  await store.put(lastCheckpointKey(root), Buffer.from(JSON.stringify(hint)));
  return applyActions(emptySnapshot, snapshot.version, actions);
}
