import { connectHome } from "../local/home-client.ts";
import type { Home } from "../local/home-api.ts";
import { homeFolder, readHomeRecord, runningProcess } from "../local/home-folder.ts";
import { say } from "./output.ts";

/**
 * Calls `use` with the home in `dir`: the one that runs in the background, or, where none does, one that is opened in this
 * process and closed afterwards.
 */
export async function withHome<Result>(
  dir: string,
  use: (home: Home, how: { isRunning: boolean }) => Promise<Result>,
): Promise<Result> {
  const folder = homeFolder(dir);
  const running = runningProcess(folder);
  if (running !== undefined) return await use(connectHome(folder), { isRunning: true });
  if (readHomeRecord(folder) === undefined) {
    throw new Error(`there is no home in ${folder.root}: make one with pizza demo or pizza start`);
  }
  // PostgreSQL, DuckDB and the rest are only loaded where they are needed.
  const { openHome } = await import("../local/open-home.ts");
  const home = await openHome({ dir, onLog: say });
  try {
    return await use(home, { isRunning: false });
  } finally {
    await home.close();
  }
}
