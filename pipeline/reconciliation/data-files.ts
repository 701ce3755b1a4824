import type { Findings } from "../domain/receipt.ts";
import type { LakeQuery, LakeTable } from "../ports.ts";

/** The data files of the lake as the receipt reads them: one that cannot be read is named, and passed over. */
export interface DataFiles {
  /** What `reader` makes of the file; undefined where it throws. */
  read<Content>(key: string, reader: () => Promise<Content>): Promise<Content | undefined>;
  /** Lake SQL without the files that cannot be read. */
  lake: LakeQuery;
}

/** Watches over the lake's data files, of which damage leaves the size as it was. */
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
        const asked = tables.map(readable);
        try {
          return await lake.query(sql, parameters, asked);
        } catch (error) {
          const damaged = await findDamaged(lake, asked);
          if (damaged.length === 0) throw error;
          for (const key of damaged) drop(key);
          return await lake.query(sql, parameters, tables.map(readable));
        }
      },
    },
  };
}

/** The files that the engine cannot read; none where it does not answer at all. */
async function findDamaged(lake: LakeQuery, tables: readonly LakeTable[]): Promise<string[]> {
  const damaged: string[] = [];
  for (const table of tables) {
    if (!(await isReadable(lake, { ...table, files: [] }))) return [];
    damaged.push(...(await findUnreadable(lake, table)));
  }
  return damaged;
}

/** Looks into halves, since most files are whole. */
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

/** Whether the engine reads every cell of the files. */
async function isReadable(lake: LakeQuery, table: LakeTable): Promise<boolean> {
  const cells = table.columns.map(({ name }) => `max("${name}")`).join(", ");
  return await lake.query(`select ${cells} from ${table.name}`, [], [table]).then(
    () => true,
    () => false,
  );
}
