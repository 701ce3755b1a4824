import type { AddFile } from "./delta-actions.ts";

/**
 * Chooses groups of files to be joined, each from one partition and one size class (a class reaches up to `minFiles`
 * times its smallest). Partitions with the most files come first; a run takes on at most `maxRowsPerRun` rows, but
 * always one group where there is any.
 */
export function planCompaction(
  partitions: ReadonlyMap<string, readonly AddFile[]>,
  { minFiles, targetRows, maxRowsPerRun }: { minFiles: number; targetRows: number; maxRowsPerRun: number },
): AddFile[][] {
  const groups: AddFile[][] = [];
  let budget = maxRowsPerRun;
  for (const files of [...partitions.values()].toSorted((left, right) => right.length - left.length)) {
    if (files.length < minFiles) break;
    const small = files.filter(({ rows }) => rows < targetRows);
    const classes = Map.groupBy(small, ({ rows }) => Math.floor(Math.log(Math.max(1, rows)) / Math.log(minFiles)));
    for (const members of classes.values()) {
      if (members.length < minFiles) continue;
      const group = takeRows(members, Math.min(targetRows, maxRowsPerRun));
      const rows = sumOfRows(group);
      if (group.length < 2 || (groups.length > 0 && rows > budget)) continue;
      groups.push(group);
      budget -= rows;
    }
  }
  return groups;
}

/** The smallest files first, up to about so many rows. */
function takeRows(files: readonly AddFile[], limit: number): AddFile[] {
  const taken: AddFile[] = [];
  let rows = 0;
  for (const file of files.toSorted((left, right) => left.rows - right.rows)) {
    if (taken.length >= 2 && rows + file.rows > limit) break;
    taken.push(file);
    rows += file.rows;
  }
  return taken;
}

function sumOfRows(files: readonly AddFile[]): number {
  return files.reduce((sum, { rows }) => sum + rows, 0);
}
