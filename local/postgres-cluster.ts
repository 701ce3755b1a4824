import { renameSync, rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { readProjectFile } from "../lambdas/adapters/project-files.ts";
import { connectionString, type PostgresCredentials } from "./postgres-credentials.ts";
import { findBinaries, giveTo, serverUser } from "./postgres-launch.ts";
import { run } from "./postgres-server.ts";

// The locale is PostgreSQL's own, so that text sorts the same on every machine.
const layout = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"];

/**
 * Creates an empty cluster in `data`. It grows beside and is renamed when it is whole, so that an interrupted first start
 * leaves nothing half made.
 */
export async function initialiseCluster({
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
export async function createDatabase(credentials: PostgresCredentials): Promise<void> {
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
export async function limitReader({ host, port, database, roles }: PostgresCredentials): Promise<void> {
  const client = new Client({ host, port, database, ...roles.admin });
  await client.connect();
  try {
    await client.query(readProjectFile("sql/migrations/000030_reader_limits.sql"));
  } finally {
    await client.end();
  }
}
