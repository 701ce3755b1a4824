import { existsSync, renameSync, rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Client } from "pg";
import { readProjectFile } from "../../adapters/project-files.ts";
import {
  connectionString,
  createCredentials,
  readCredentials,
  writeCredentials,
  type PostgresCredentials,
  type PostgresRole,
} from "./postgres-credentials.ts";
import { findServer, stopServer, findBinaries, giveTo, serverUser } from "./postgres-process.ts";
import { adoptServer, startServer, stopWithThisProcess, run } from "./postgres-server.ts";

export type { PostgresCredentials, PostgresRole } from "./postgres-credentials.ts";

/** Not PostgreSQL's own 5432, which belongs to a server that the machine may have. */
const defaultPort = 55_432;

export interface LocalPostgres {
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
}): Promise<LocalPostgres> {
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

// The locale is PostgreSQL's own, so that text sorts the same on every machine.
const layout = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"];

/**
 * Creates an empty cluster in `data`. It grows beside and is renamed when it is whole, so that an interrupted first start
 * leaves nothing half made.
 */
async function initialiseCluster({
  folder,
  data,
  admin,
}: {
  folder: string;
  data: string;
  admin: { user: string; password: string };
}): Promise<void> {
  const { initdb } = await findBinaries();
  const user = serverUser(data);
  const fresh = join(folder, "data.new");
  const passwordFile = join(folder, "password");
  rmSync(fresh, { recursive: true, force: true });
  try {
    await mkdir(fresh, { mode: 0o700 });
    await writeFile(passwordFile, admin.password, { mode: 0o600 });
    for (const path of [fresh, passwordFile]) giveTo(user, path);
    const login = ["--auth=scram-sha-256", `--username=${admin.user}`, `--pwfile=${passwordFile}`];
    await run(initdb, ["-D", fresh, ...layout, ...login], { user, data: fresh, log: join(folder, "server.log") });
    renameSync(fresh, data);
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

/** Creates the logins and the database where they are missing; the owner is no superuser, as on a managed server. */
async function createDatabase(credentials: PostgresCredentials): Promise<void> {
  const { owner, writer, reader } = credentials.roles;
  const client = new Client(connectionString(credentials, "admin"));
  await client.connect();
  try {
    const found = await client.query("select from pg_database where datname = $1", [credentials.database]);
    if (found.rowCount) return;
    for (const { user, password } of [owner, writer, reader]) {
      const known = await client.query("select from pg_roles where rolname = $1", [user]);
      const rights = user === owner.user ? "createrole" : "";
      const verb = known.rowCount ? "alter" : "create";
      await client.query(`${verb} role ${user} login ${rights} password ${client.escapeLiteral(password)}`);
    }
    await client.query(`create database ${credentials.database} owner ${owner.user}`);
  } finally {
    await client.end();
  }
}

/**
 * Keeps the reader from writing and from asking for ever, in the database too: only PostgreSQL's superuser may take from
 * everybody what the server itself brings, so the migration of this name is run as him first. A second time does no harm.
 */
async function limitReader({ host, port, database, roles }: PostgresCredentials): Promise<void> {
  const client = new Client({ host, port, database, ...roles.admin });
  await client.connect();
  try {
    await client.query(readProjectFile("sql/migrations/000030_reader_limits.sql"));
  } finally {
    await client.end();
  }
}
