import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { classicYear } from "../../../bin/commands/send.ts";
import { dataDirectory, prepareDataDirectory } from "../../../targets/local/data-directory.ts";
import { openLocalPipeline } from "../../../targets/local/open.ts";
import { sendOrders } from "../../e2e/command-line-fixture.ts";

let root: string | undefined;
afterEach(() => root !== undefined && rmSync(root, { recursive: true, force: true }));

/** A home whose PostgreSQL cannot start: its credentials cannot be read. */
function brokenPipeline(): string {
  root = mkdtempSync(join(tmpdir(), "pizza-home-"));
  const dir = join(root, "home");
  prepareDataDirectory(dataDirectory(dir), "start");
  writeFileSync(join(dir, "postgres", "credentials.json"), "{");
  return dir;
}

describe("a home whose PostgreSQL cannot start", () => {
  it("is refused with the reason", async () => {
    await expect(openLocalPipeline({ dir: brokenPipeline() })).rejects.toThrow(/credentials\.json/);
  });

  it("takes orders when it was wanted early, says the reason to whoever needs the tables, and closes", async () => {
    const pipeline = await openLocalPipeline({ dir: brokenPipeline(), isEarly: true });
    await sendOrders(pipeline.sink, [...classicYear()].slice(0, 3));
    await expect(pipeline.drain()).rejects.toThrow(/credentials\.json/);
    await expect(pipeline.query({ sql: "select 1" })).rejects.toThrow(/credentials\.json/);
    await pipeline.close();
  });
});

it("a home that was wanted early shows in gold what it took before its PostgreSQL ran, and people's SQL leaves nothing behind", async () => {
  root = mkdtempSync(join(tmpdir(), "pizza-home-"));
  const pipeline = await openLocalPipeline({ dir: join(root, "home"), isEarly: true });
  try {
    await sendOrders(pipeline.sink, [...classicYear()].slice(0, 69));
    await pipeline.drain();
    const { gold, findings } = await pipeline.verify();
    expect(gold.orders).toBe(69);
    expect(findings).toEqual([]);
    const ask = async (sql: string) => await pipeline.query({ sql });
    for (let times = 0; times < 5; times++) {
      await ask("set timezone = 'Asia/Tokyo'; begin isolation level repeatable read; select count(*) from ops.windows");
    }
    expect(await ask("select current_setting('TimeZone') as zone")).toEqual([{ zone: "UTC" }]);
    expect(await ask("select from pg_stat_activity where state like 'idle in transaction%'")).toEqual([]);
  } finally {
    await pipeline.close();
  }
});
