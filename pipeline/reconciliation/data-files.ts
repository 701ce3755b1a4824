import type { Findings } from "../domain/receipt.ts";
import type { LakeQuery, LakeTable } from "../ports.ts";

/** The lake's data files as the receipt reads them: an unreadable file becomes a finding and is skipped. */
export interface DataFiles {
  /** Returns what `reader` returns, or undefined if it throws. */
  read<Content>(key: string, reader: () => Promise<Content>): Promise<Content | undefined>;
  /** Runs lake SQL without the unreadable files. */
  lake: LakeQuery;
}

/** Wraps access to the lake's data files so that damage becomes a finding, even damage that keeps a file's size. */
export function watchDataFiles(lake: LakeQuery, findings: Findings): DataFiles {
  const unreadable = new Set<string>();

  function drop(key: string): void {
    if (unreadable.has(key)) return;
    unreadable.add(key);
    findings.add("the lake is whole", "data files cannot be read", key);
  }

  const readable = (table: LakeTable): LakeTable => ({
    ...table,
    files: table.files.filter((file) => !unreadable.has(file)),
  });

  return {
    async read(key, reader) {
      try {
        return await reader();
      } catch {
        drop(key);
        return undefined;
      }
    },
    lake: {
      async query(sql, parameters, tables) {
        const known = tables.map(readable);
        try {
          return await lake.query(sql, parameters, known);
        } catch (error) {
          const damaged = await findDamaged(lake, known);
          if (damaged.length === 0) throw error;
          for (const key of damaged) drop(key);
          return await lake.query(sql, parameters, tables.map(readable));
        }
      },
    },
  };
}

/** Returns the files that the engine cannot read; none if the engine itself is unavailable. */
async function findDamaged(lake: LakeQuery, tables: readonly LakeTable[]): Promise<string[]> {
  const damaged: string[] = [];
  for (const table of tables) {
    if (!(await isReadable(lake, { ...table, files: [] }))) return [];
    damaged.push(...(await findUnreadable(lake, table)));
  }
  return damaged;
}

/** Finds the unreadable files by bisection, because most files are intact. */
async function findUnreadable(lake: LakeQuery, table: LakeTable): Promise<string[]> {
  const { files } = table;
  if (files.length === 0 || (await isReadable(lake, table))) return [];
  if (files.length === 1) return files;
  const middle = files.length >>> 1;
  const halves = [files.slice(0, middle), files.slice(middle)];
  return [
    ...(await findUnreadable(lake, { ...table, files: halves[0]! })),
    ...(await findUnreadable(lake, { ...table, files: halves[1]! })),
  ];
}

/** Whether the engine can read every cell of the files. */
async function isReadable(lake: LakeQuery, table: LakeTable): Promise<boolean> {
  const cells = table.columns.map(({ name }) => `max("${name}")`).join(", ");
  return await lake.query(`select ${cells} from ${table.name}`, [], [table]).then(
    () => true,
    () => false,
  );
}
