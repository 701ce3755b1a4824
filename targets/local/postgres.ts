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
import { findBinaries, findServer, giveTo, serverUser, stopServer } from "./postgres-process.ts";
import { adoptServer, run, startServer, stopWithThisProcess } from "./postgres-server.ts";

export type { PostgresCredentials, PostgresRole } from "./postgres-credentials.ts";

/** Not PostgreSQL's default 5432, which a server installed on this machine may use. */
const defaultPort = 55_432;
/** The builtin locale provider, so that text sorts the same on every machine. */
const layout = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"];

export interface LocalPostgres {
  /** `postgresql://…` connection string of the database pizza_sales for one role. */
  connectionString(role: PostgresRole): string;
  credentials: PostgresCredentials;
  /** Process id of the server. */
  pid: number;
  /** False once the server has exited for any reason. */
  isRunning(): boolean;
  /** Stops the server and resolves once it has exited. It also stops when this process ends, except by SIGKILL. */
  stop(): Promise<void>;
}

/**
 * Starts a PostgreSQL server with its data in `dir`, on 127.0.0.1 only. The first start creates the cluster, the
 * database pizza_sales and a login for each role; later starts reuse them. A server left running by a killed process is
 * adopted, unless `port` differs. An explicit `port` must be free. If the stored port is in use, this start takes a
 * free one and the next start tries the stored port again. A new cluster gets `preferredPort`, or a free port.
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
  const { wishedPort: requestedBefore, ...known } = kept ?? createCredentials(port ?? preferredPort);
  if (!existsSync(data)) {
    onLog(`creating the PostgreSQL cluster in ${data}`);
    await writeCredentials(folder, known);
    await initialiseCluster({ folder, data, admin: known.roles.admin });
  }
  const requested = port ?? requestedBefore ?? known.port;
  const running = await adopt(data, known, port);
  const isDemanded = port !== undefined;
  const server = running ?? (await startServer({ folder, data, port: requested, isDemanded, credentials: known }));
  const credentials = { ...known, port: server.port };
  // Only an existing cluster keeps the missed port as requested: its clients have that port in their settings.
  const missed = kept !== undefined && server.port !== requested ? { wishedPort: requested } : {};
  if (server.port !== known.port || kept?.wishedPort !== missed.wishedPort) {
    await writeCredentials(folder, { ...credentials, ...missed });
  }
  await createDatabase(credentials);
  await limitReader(credentials);
  onLog(`PostgreSQL ${running ? "was still running" : "started"}: pid ${server.pid}, 127.0.0.1:${server.port}`);
  if (missed.wishedPort !== undefined) {
    onLog(`port ${requested} is used by another program: PostgreSQL listens on ${server.port} until its next start`);
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

/** Adopts a running server; one on a port other than the requested one is stopped instead. */
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
    throw new Error(`${folder} cannot be created: choose a writable folder`, { cause });
  }
}

/** Creates an empty cluster in a temporary folder and renames it to `data`, so an interrupted start leaves no part. */
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

/** Creates missing logins and the database. The owner is not a superuser, as on a managed server. */
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
 * Limits the reader's privileges, query time and resources. Only the superuser may do that to a role that it created,
 * so these migrations first run as the superuser. They are idempotent.
 */
async function limitReader({ host, port, database, roles }: PostgresCredentials): Promise<void> {
  const client = new Client({ host, port, database, ...roles.admin });
  await client.connect();
  try {
    for (const name of ["000030_reader_limits", "000043_reader_resources"]) {
      await client.query(readProjectFile(`sql/migrations/${name}.sql`));
    }
  } finally {
    await client.end();
  }
}
