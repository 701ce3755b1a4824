import { existsSync, mkdirSync, mkdtempSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { openDuckDbLake } from "../../adapters/duckdb.ts";
import type { LakeQuery, LakeRow, LakeTable } from "../../pipeline/ports.ts";
import type { Objects } from "./bucket.ts";
import type { Process, World } from "./world.ts";

/** DuckDB on the files of a history, which are otherwise in memory. */
export interface SimulatedLake {
  /** The lake of a new history; deletes the files of the previous one. */
  begin(objects: Objects): void;
  query: LakeQuery["query"];
  close(): void;
}

/** DuckDB keeps some memory for every file that it has read. */
const historiesPerInstance = 500;

/** Opens DuckDB over a folder, in memory if the machine has one. */
export async function openSimulatedLake(): Promise<SimulatedLake> {
  const root = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "pizza-simulation-"));
  let duckDb = await openDuckDbLake({ root, threads: 1 });
  let histories = 0;
  let objects: Objects = new Map();
  let answers = new Map<string, LakeRow[]>();
  const laid = new Set<string>();

  function lay(file: string): void {
    const path = join(root, file);
    if (laid.has(path)) return;
    const body = objects.get(file);
    if (body === undefined) throw new Error(`lake: ${file} does not exist`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, body);
    laid.add(path);
  }

  return {
    begin(of) {
      objects = of;
      answers = new Map();
      for (const path of laid) unlinkSync(path);
      laid.clear();
      histories++;
    },
    // Data files never change, so the same query on the same files has the same result.
    async query(sql, parameters, tables) {
      const question = JSON.stringify([sql, parameters, tables.map(({ name, files }) => [name, files])]);
      const known = answers.get(question);
      if (known !== undefined) return known;
      if (histories >= historiesPerInstance) {
        await duckDb.close();
        duckDb = await openDuckDbLake({ root, threads: 1 });
        histories = 0;
      }
      for (const file of tables.flatMap(({ files }) => files)) lay(file);
      const rows = await duckDb.query(sql, parameters, tables.map(withoutColumns));
      answers.set(question, rows);
      return rows;
    },
    close() {
      void duckDb.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** Every file of a history has all columns, and planning is faster if DuckDB need not look for them. */
function withoutColumns(table: LakeTable): LakeTable {
  return table.files.length === 0 ? table : { ...table, columns: [] };
}

/** The lake as one process sees it: a query takes one step and may fail. */
export function lakeOf(world: World, lake: SimulatedLake, process: Process): LakeQuery {
  return {
    query: (sql: string, parameters: readonly (string | number)[], tables: readonly LakeTable[]) =>
      world.scheduler.step(process, async () => {
        world.faults.note(`${process.name}: lake query at version ${tables[0]?.version}`);
        if (world.faults.draw(["store: request fails without effect"]))
          throw new Error("lake: a file is not available");
        return await lake.query(sql, parameters, tables);
      }),
  };
}
