import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { expect, test } from "vitest";
import { keepPostgres } from "../../localstack/keep-postgres.ts";
import { findServer } from "../../targets/local/postgres-process.ts";

test("a killed PostgreSQL is restarted at the same address with all committed data", async () => {
  const dir = join(mkdtempSync(join(tmpdir(), "pizza-keep-")), "postgres");
  const said: string[] = [];
  const kept = await keepPostgres(dir, (line) => said.push(line));
  try {
    await query(kept.databaseUrl, "create table kept (n int)");
    const { pid, port } = findServer(join(dir, "data"))!;
    process.kill(pid, "SIGKILL");
    await expect.poll(() => findServer(join(dir, "data"))?.pid ?? pid, { timeout: 60_000 }).not.toBe(pid);
    await expect
      .poll(() => query(kept.databaseUrl, "select n from kept").catch(() => undefined), { timeout: 60_000 })
      .toEqual([]);
    expect(findServer(join(dir, "data"))!.port).toBe(port);
    expect(said).toContain(`PostgreSQL exited (process ${pid}): starting it again`);
  } finally {
    await kept.stop();
    rmSync(join(dir, ".."), { recursive: true });
  }
  expect(findServer(join(dir, "data"))).toBeUndefined();
});

async function query(connectionString: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client(connectionString);
  await client.connect();
  try {
    return (await client.query(sql)).rows as unknown[];
  } finally {
    await client.end();
  }
}
