import type { Findings } from "../domain/receipt.ts";
import { commitKey, listLog, readCommit } from "../lake/delta-log.ts";
import type { ObjectStore } from "../ports.ts";

/**
 * Finds commits that stand in a table's log under another version than the one they were made for: of those that follow the
 * newest checkpoint, which the table is read from.
 */
export async function checkLog(store: ObjectStore, root: string, findings: Findings): Promise<void> {
  const { commits, checkpoints } = await listLog(store, root);
  const base = checkpoints.at(-1) ?? -1;
  for (const version of commits.filter((commit) => commit > base)) {
    const actions = await readCommit(store, root, version);
    const readVersion = actions?.find(({ commitInfo }) => commitInfo)?.commitInfo?.["readVersion"];
    // Another engine may leave it out, as we do in the first one.
    if (typeof readVersion !== "number" || readVersion === version - 1) continue;
    const example = `${commitKey(root, version)} was made as version ${readVersion + 1}`;
    findings.add("the lake is whole", "commits stand in another place of the log than they were made for", example);
  }
}
