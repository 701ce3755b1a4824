import { mkdir } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { createDatabase, initialiseCluster, limitReader } from "./postgres-cluster.ts";
import {
  connectionString,
  createCredentials,
  readCredentials,
  writeCredentials,
  type PostgresCredentials,
  type PostgresRole,
} from "./postgres-credentials.ts";
import { findServer, stopServer } from "./postgres-process.ts";
import { adoptServer, startServer, stopWithThisProcess } from "./postgres-server.ts";

export type { PostgresCredentials, PostgresRole } from "./postgres-credentials.ts";

/** Not PostgreSQL's own 5432, which belongs to a server that the machine may have. */
const defaultPort = 55_432;

export interface EmbeddedPostgres {
  /** `postgresql://…` of the database pizza_sales for one role. */
  connectionString(role: PostgresRole): string;
  credentials: PostgresCredentials;
  /** Process id of the server. */
  pid: number;
  /** False once the server has ended, whoever ended it. */
  isRunning(): boolean;
  /** Stops the server and resolves once it is gone. It stops by itself when this process ends in any way but SIGKILL. */
  stop(): Promise<void>;
}

/**
 * Starts the real PostgreSQL that keeps its data in `dir`, on 127.0.0.1 only. The first start creates the cluster, the
 * database pizza_sales and a login for each role; a later one reuses them. A server that a killed process of ours left
 * behind is adopted, unless another port was asked for. A `port` that was asked for must be free; the remembered one gives
 * way to a free one for this start where something else holds it, and is tried again by the next. A new cluster has the
 * `preferredPort`, or a free one.
 */
export async function startPostgres({
  dir,
  port,
  preferredPort = defaultPort,
  onLog = () => {},
}: {
  dir: string;
  port?: number;
  preferredPort?: number;
  onLog?: (line: string) => void;
}): Promise<EmbeddedPostgres> {
  const folder = resolve(dir);
  const data = join(folder, "data");
  await makeFolder(folder);
  const kept = await readCredentials(folder);
  const { wishedPort, ...known } = kept ?? createCredentials(port ?? preferredPort);
  if (!existsSync(data)) {
    onLog(`creating PostgreSQL's data in ${data}`);
    await writeCredentials(folder, known);
    await initialiseCluster({ folder, data, admin: known.roles.admin });
  }
  const wished = port ?? wishedPort ?? known.port;
  const running = await adopt(data, known, port);
  const isDemanded = port !== undefined;
  const server = running ?? (await startServer({ folder, data, port: wished, isDemanded, credentials: known }));
  const credentials = { ...known, port: server.port };
  // What a new home got is its port from then on; clients of an older one have the remembered port in their settings.
  const missed = kept !== undefined && server.port !== wished ? { wishedPort: wished } : {};
  if (server.port !== known.port || kept?.wishedPort !== missed.wishedPort) {
    await writeCredentials(folder, { ...credentials, ...missed });
  }
  await createDatabase(credentials);
  await limitReader(credentials);
  onLog(`PostgreSQL ${running ? "was still running" : "started"}: pid ${server.pid}, 127.0.0.1:${server.port}`);
  if (missed.wishedPort !== undefined) {
    onLog(`port ${wished} is used by another program: PostgreSQL has ${server.port} until it is started again`);
  }
  const release = stopWithThisProcess(data, server.pid);
  return {
    connectionString: (role) => connectionString(credentials, role),
    credentials,
    pid: server.pid,
    isRunning: () => findServer(data)?.pid === server.pid,
    stop: async () => {
      await stopServer(data, server.pid);
      release();
    },
  };
}

/** The server that still runs; one that has another port than was asked for is stopped, and there is none. */
async function adopt(data: string, credentials: PostgresCredentials, port: number | undefined) {
  const running = await adoptServer({ data, credentials });
  if (running === undefined || port === undefined || running.port === port) return running;
  await stopServer(data, running.pid);
  return undefined;
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw new Error(`${folder} cannot be created: choose a folder that you may write to`, { cause });
  }
}
