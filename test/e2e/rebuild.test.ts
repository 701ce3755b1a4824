import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { classicYear } from "../../bin/commands/send.ts";
import { openLocalPipeline } from "../../targets/local/open.ts";
import { goldHashes, pizza, sendOrders, temporaryPipeline } from "./command-line-fixture.ts";
import { prepareLocalPipeline } from "../support/prepared-postgres.ts";

const { dir, remove } = temporaryPipeline();
afterAll(remove);

it("a rebuild completes while orders keep arriving, and the command line rebuilds or names the missing bronze object", async () => {
  await prepareLocalPipeline(dir);
  const pipeline = await openLocalPipeline({ dir });
  const year = [...classicYear()];
  await sendOrders(pipeline.sink, year.slice(0, 2000));
  await pipeline.drain();
  const before = await goldHashes(pipeline);
  const [report] = await Promise.all([
    pipeline.rebuild({ from: "2015-01-01", to: "2015-01-20", source: "bronze", isDryRun: false }),
    sendOrders(pipeline.sink, year.slice(2000, 2500)),
  ]);
  expect(report).toMatchObject({ equal: true, published: false, days: 20 });
  await pipeline.drain();
  expect(await goldHashes(pipeline)).not.toEqual(before);
  expect((await pipeline.verify()).findings).toEqual([]);
  await pipeline.close();

  const again = await pizza(dir, "rebuild");
  expect(again).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("equal: every published cell has the recomputed value") as string,
  });

  const bronze = join(dir, "lake", "bronze");
  const lost = readdirSync(bronze, { recursive: true, encoding: "utf8" }).find((name) => name.endsWith(".parquet"))!;
  rmSync(join(bronze, lost));
  const rejected = await pizza(dir, "rebuild");
  expect(rejected).toMatchObject({ code: 3, stdout: expect.stringContaining("nothing was published") as string });
  expect(rejected.stdout).toContain(
    `bronze objects that silver has read and that no longer exist: 1\n  bronze/${lost}`,
  );
});
