import type { Warehouse } from "../../pipeline/ports.ts";
import type { Process, World } from "./world.ts";

/** How many calls fail while the server restarts. */
const callsInRestart = 3;

/** The state of the server, shared by all processes of a history. */
export interface Server {
  /** One connection to a real PostgreSQL, which every transaction uses. */
  connection: Warehouse;
  callsToFail: number;
  /** Called after every executed call. */
  afterCall: (sql: string) => Promise<void>;
}

/** The warehouse as one process sees it. A call is one transaction and takes one step. */
export function openSimulatedWarehouse(world: World, server: Server, process: Process): Warehouse {
  const { faults, scheduler } = world;

  async function call<Row>(sql: string, parameters: readonly unknown[] | undefined): Promise<Row[]> {
    const { connection } = server;
    if (server.callsToFail > 0) {
      server.callsToFail--;
      throw new Error("warehouse: the server is starting up");
    }
    const fault = faults.draw(warehouseFaults);
    if (fault === "warehouse: request fails without effect") throw new Error("warehouse: no connection");
    if (fault === "warehouse: transaction is rolled back" || fault === "warehouse: restarts") {
      await rollBack(connection, sql, parameters);
      if (fault === "warehouse: restarts") server.callsToFail = callsInRestart;
      throw new Error("warehouse: the connection broke before the commit");
    }
    const rows = await connection.query<Row>(sql, parameters);
    await server.afterCall(sql);
    if (fault === "warehouse: response to a commit is lost") throw new Error("warehouse: the answer never came");
    return rows;
  }

  return {
    query: <Row>(sql: string, parameters?: readonly unknown[]) =>
      scheduler.step(process, async () => {
        faults.note(`${process.name}: ${sql.replaceAll(/\s+/g, " ").slice(0, 90)}`);
        if (world.meetsFate(process)) return [] as Row[];
        const rows = await call<Row>(sql, parameters);
        world.mayDie(process);
        return rows;
      }),
  };
}

const warehouseFaults = [
  "warehouse: request fails without effect",
  "warehouse: transaction is rolled back",
  "warehouse: response to a commit is lost",
  "warehouse: restarts",
] as const;

/** Executes the call and rolls it back, like a server that dies before the commit. */
async function rollBack(connection: Warehouse, sql: string, parameters: readonly unknown[] | undefined): Promise<void> {
  await connection.query("begin");
  try {
    await connection.query(sql, parameters);
  } finally {
    await connection.query("rollback");
  }
}
