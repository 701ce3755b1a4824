import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openPostgresWarehouse } from "../../../adapters/postgres-warehouse.ts";
import { readCredentials, writeCredentials } from "../../../targets/local/postgres-credentials.ts";
import { findServer } from "../../../targets/local/postgres-process.ts";
import { startPostgres, type LocalPostgres, type PostgresRole } from "../../../targets/local/postgres.ts";
import { freePort } from "../../support/free-port.ts";

const dir = mkdtempSync(join(tmpdir(), "pizza-postgres-"));
const data = join(dir, "data");
afterAll(() => rmSync(dir, { recursive: true }));

async function ask<Row>(postgres: LocalPostgres, sql: string, role: PostgresRole = "owner"): Promise<Row[]> {
  const warehouse = openPostgresWarehouse({ connectionString: postgres.connectionString(role) });
  try {
    return await warehouse.query<Row>(sql);
  } finally {
    await warehouse.close();
  }
}

async function hold(end = "when told"): Promise<{ child: ChildProcess; pid: number }> {
  const holder = new URL("postgres-holder.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [holder, dir, end], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(child.stdout, "data");
  return { child, pid: Number(line) };
}

async function untilGone(): Promise<void> {
  await expect.poll(() => findServer(data)).toBeUndefined();
}

test("the first start creates a database with three login roles, and a later start reuses it", async () => {
  const first = await startPostgres({ dir });
  await ask(first, "create table kept as select 1 as a");
  for (const role of ["owner", "writer", "reader"] as const) {
    expect(await ask(first, "select current_database() as name", role)).toEqual([{ name: "pizza_sales" }]);
  }
  await first.stop();
  expect(findServer(data)).toBeUndefined();
  const second = await startPostgres({ dir });
  expect(await ask(second, "select a from kept")).toEqual([{ a: 1 }]);
  await second.stop();
});

test("commits are durable, and only this machine can connect, with a password", async () => {
  const postgres = await startPostgres({ dir });
  const names = ["fsync", "full_page_writes", "synchronous_commit", "data_checksums", "listen_addresses", "TimeZone"];
  const shown = await ask<{ name: string; setting: string }>(
    postgres,
    `select name, setting from pg_settings where name = any (array['${names.join("','")}'])`,
  );
  expect(Object.fromEntries(shown.map(({ name, setting }) => [name, setting]))).toEqual({
    fsync: "on",
    full_page_writes: "on",
    synchronous_commit: "on",
    data_checksums: "on",
    listen_addresses: "127.0.0.1",
    TimeZone: "UTC",
  });
  expect(statSync(join(dir, "credentials.json")).mode & 0o777).toBe(0o600);
  const wrongPassword = {
    ...postgres,
    connectionString: () => postgres.connectionString("reader").replace(/:[^:@]+@/, ":wrong@"),
  };
  await expect(ask(wrongPassword, "select 1")).rejects.toThrow(/password authentication failed/);
  await postgres.stop();
});

test("the owner is not a superuser, as on a managed server", async () => {
  const postgres = await startPostgres({ dir });
  expect(await ask(postgres, "select rolsuper from pg_roles where rolname = current_user")).toEqual([
    { rolsuper: false },
  ]);
  await postgres.stop();
});

test("a server that outlived its killed process is adopted with all committed data", async () => {
  const { child, pid } = await hold();
  const other = await startPostgres({ dir });
  await ask(other, "create table survivor as select 2 as a");
  child.kill("SIGKILL");
  await once(child, "exit");
  const postgres = await startPostgres({ dir });
  expect(postgres.pid).toBe(pid);
  expect(await ask(postgres, "select a from survivor")).toEqual([{ a: 2 }]);
  await postgres.stop();
  await untilGone();
});

test("a start recovers after both the process and the server were killed", async () => {
  const { child, pid } = await hold();
  child.kill("SIGKILL");
  process.kill(pid, "SIGKILL");
  await once(child, "exit");
  const postgres = await startPostgres({ dir });
  expect(postgres.pid).not.toBe(pid);
  expect(await ask(postgres, "select a from survivor")).toEqual([{ a: 2 }]);
  await postgres.stop();
});

test.each(["SIGTERM", "SIGINT"] as const)("%s to the process stops its server", async (signal) => {
  const { child } = await hold();
  child.kill(signal);
  expect(await once(child, "exit")).toEqual([null, signal]);
  await untilGone();
});

test("a process that exits stops its server", async () => {
  const { child } = await hold("at once");
  if (child.exitCode === null) await once(child, "exit");
  expect(child.exitCode).toBe(0);
  await untilGone();
});

test("a pid file with the process id of another program does not prevent a start", async () => {
  const lines = [process.pid, data, "1", "1", "", "127.0.0.1", ""];
  writeFileSync(join(data, "postmaster.pid"), lines.join("\n"), { mode: 0o644 });
  const postgres = await startPostgres({ dir });
  expect(await ask(postgres, "select 1 as one")).toEqual([{ one: 1 }]);
  await postgres.stop();
});

async function takePort(port = 0): Promise<{ port: number; free: () => void }> {
  const other = createServer().listen(port, "127.0.0.1");
  await once(other, "listening");
  return { port: (other.address() as AddressInfo).port, free: () => other.close() };
}

const remembered = () => JSON.parse(readFileSync(join(dir, "credentials.json"), "utf8"));

test("a requested port that is in use is an error, and nothing starts", async () => {
  const { port, free } = await takePort();
  await expect(startPostgres({ dir, port })).rejects.toThrow(
    `port ${port} is used by another program: choose one with --postgres-port`,
  );
  expect(findServer(data)).toBeUndefined();
  free();
});

test("if the remembered port is in use, a start logs it and uses another one; the next start tries it again", async () => {
  // Not the default port, which other programs of this machine may take or free meanwhile.
  const before = await startPostgres({ dir, port: await freePort() });
  await before.stop();
  const requested = before.credentials.port;
  const { free } = await takePort(requested);
  const lines: string[] = [];
  for (let start = 0; start < 2; start++) {
    const moved = await startPostgres({ dir, onLog: (line) => lines.push(line) });
    expect(moved.credentials.port).not.toBe(requested);
    expect(remembered()).toEqual({ ...moved.credentials, wishedPort: requested });
    await moved.stop();
  }
  expect(lines.filter((line) => line.startsWith(`port ${requested} is used by another program`))).toHaveLength(2);
  free();
  const after = await startPostgres({ dir });
  expect(after.credentials).toEqual(before.credentials);
  expect(remembered()).toEqual(before.credentials);
  await after.stop();
});

test("a running server is restarted if another port is requested", async () => {
  const { child, pid } = await hold();
  child.kill("SIGKILL");
  await once(child, "exit");
  const { port, free } = await takePort();
  free();
  const postgres = await startPostgres({ dir, port });
  expect(postgres.credentials.port).toBe(port);
  expect(postgres.pid).not.toBe(pid);
  await postgres.stop();
});

test("servers that start concurrently on one port each get a separate one", async () => {
  const dirs = [dir, ...[1, 2].map((n) => join(dir, `other-${n}`))];
  let port = 0;
  for (const other of dirs) {
    const made = await startPostgres({ dir: other });
    ({ port } = made.credentials);
    await made.stop();
  }
  for (const other of dirs) await writeCredentials(other, { ...(await readCredentials(other))!, port });
  const servers = await Promise.all(dirs.map((other) => startPostgres({ dir: other })));
  expect(new Set(servers.map(({ credentials }) => credentials.port)).size).toBe(3);
  for (const server of servers) {
    expect(await ask(server, "select 1 as one")).toEqual([{ one: 1 }]);
    await server.stop();
  }
});

test("an error names a folder that cannot be created, and the log of a server that does not start", async () => {
  writeFileSync(join(dir, "file"), "");
  await expect(startPostgres({ dir: join(dir, "file", "postgres") })).rejects.toThrow(
    /file\/postgres cannot be created/,
  );
  const configuration = join(data, "postgresql.conf");
  const right = readFileSync(configuration, "utf8");
  writeFileSync(configuration, `${right}\nno_such_setting = 1\n`);
  await expect(startPostgres({ dir })).rejects.toThrow(/did not start on .*server\.log[^]*"no_such_setting"/);
  writeFileSync(configuration, right);
});
