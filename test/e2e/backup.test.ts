import { existsSync, readdirSync, rmSync, writeFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import type { WholeBackup } from "../../pipeline/backup/manifest.ts";
import { classicYear } from "../../bin/commands/send.ts";
import { dataDirectory } from "../../targets/local/data-directory.ts";
import { openLocalPipeline } from "../../targets/local/open.ts";
import { goldHashes, sendOrders, temporaryPipeline } from "./command-line-fixture.ts";
import { quickPizza } from "./command-line-in-process.ts";
import { prepareLocalPipeline } from "../support/prepared-postgres.ts";

const { dir, remove } = temporaryPipeline();
afterAll(remove);

it("a warehouse that is lost and restored from a backup has the same gold, and the receipt balances", async () => {
  const [first, second] = [0, 1500].map((from) => [...classicYear()].slice(from, from + 1500));
  await prepareLocalPipeline(dir);
  let pipeline = await openLocalPipeline({ dir });
  await sendOrders(pipeline.sink, first!);
  await pipeline.drain();
  await pipeline.run({ workflow: "backup" });
  const { output } = await pipeline.run({ workflow: "backup" });
  expect(output).toMatchObject({ proof: { tables: expect.any(Number) as number }, snapshot: { state: "none" } });
  const backups = await pipeline.backups();
  expect(backups.map(({ isProven }) => isProven)).toEqual([true, true]);
  const { workflows } = await pipeline.status();
  expect(workflows.find(({ workflow }) => workflow === "backup")).toMatchObject({ earlier: [expect.anything()] });
  // Orders between the backup and the loss are in silver and are published again.
  await sendOrders(pipeline.sink, second!);
  await pipeline.drain();
  const expected = await goldHashes(pipeline);
  await pipeline.close();

  const folder = dataDirectory(dir);
  rmSync(folder.postgres, { recursive: true });
  const lost = await quickPizza(dir, "status");
  expect(lost).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("recover it with ./pizza restore") as string,
  });

  const [newest, older] = backups;
  for (const name of ["nope", "../../etc", "20150101T000000000Z"]) {
    const missing = await quickPizza(dir, "restore", name);
    const there = `backup ${name} does not exist or was never completed; choose one of ${newest!.id}, ${older!.id}`;
    expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining(there) as string });
    expect(missing.stderr).not.toContain("creating the PostgreSQL cluster");
  }
  expect(existsSync(folder.postgres)).toBe(false);
  const file = join(folder.backups, "backups", newest!.id, "facts.day_items", "00000.jsonl.zst");
  const whole = readFileSync(file);
  writeFileSync(file, whole.subarray(0, -1));
  const damaged = await quickPizza(dir, "restore");
  expect(damaged).toMatchObject({ code: 1, stderr: expect.stringContaining("the backup is damaged: ") as string });
  // The failed restore left nothing behind: the database is still lost.
  expect(existsSync(folder.postgres)).toBe(false);
  const restored = await quickPizza(dir, "restore", older!.id, "--json");
  const { goldHash } = older as WholeBackup;
  expect(JSON.parse(restored.stdout)).toMatchObject({ id: older!.id, goldHash });
  const again = await quickPizza(dir, "restore", older!.id);
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining("the warehouse is not empty") as string });

  pipeline = await openLocalPipeline({ dir });
  await pipeline.drain();
  expect(await goldHashes(pipeline)).toEqual(expected);
  const receipt = await pipeline.verify();
  expect(receipt.findings).toEqual([]);
  expect(receipt.unpublishedDays).toEqual([]);
  await pipeline.close();
  expect(readdirSync(join(folder.backups, "backups"))).toHaveLength(2);

  writeFileSync(join(folder.backups, "backups", newest!.id, "manifest.json"), "{");
  const listed = await quickPizza(dir, "backup", "--list");
  expect(listed.code).toBe(0);
  expect(listed.stdout.split("\n").slice(2)).toMatchObject([
    expect.stringContaining(`${newest!.id}  damaged`) as string,
    expect.stringContaining(`${older!.id}  yes`) as string,
    "",
  ]);
  expect(listed.stderr).toContain(`backup ${newest!.id} is damaged: `);
});
