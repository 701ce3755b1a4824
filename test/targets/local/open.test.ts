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

/** A data directory whose PostgreSQL cannot start because its credentials are unreadable. */
function brokenPipeline(): string {
  root = mkdtempSync(join(tmpdir(), "pizza-home-"));
  const dir = join(root, "home");
  prepareDataDirectory(dataDirectory(dir), "start");
  writeFileSync(join(dir, "postgres", "credentials.json"), "{");
  return dir;
}

describe("a local pipeline whose PostgreSQL cannot start", () => {
  it("fails to open, with the reason", async () => {
    await expect(openLocalPipeline({ dir: brokenPipeline() })).rejects.toThrow(/credentials\.json/);
  });

  it("accepts orders if opened early, fails every call that needs the tables with the reason, and closes", async () => {
    const pipeline = await openLocalPipeline({ dir: brokenPipeline(), isEarly: true });
    await sendOrders(pipeline.sink, [...classicYear()].slice(0, 3));
    await expect(pipeline.drain()).rejects.toThrow(/credentials\.json/);
    await expect(pipeline.query({ sql: "select 1" })).rejects.toThrow(/credentials\.json/);
    await pipeline.close();
  });
});

it("a local pipeline opened early publishes orders from before PostgreSQL ran, and resets the session after ad-hoc SQL", async () => {
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
