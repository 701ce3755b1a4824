import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { classicYear } from "../../bin/commands/send.ts";
import { openHome } from "../../targets/local/open.ts";
import { goldHashes, pizza, sendOrders, temporaryHome } from "./home-fixture.ts";

const { dir, remove } = temporaryHome();
afterAll(remove);

it("a rebuild goes on beside orders that come in, by the command line too", async () => {
  const home = await openHome({ dir });
  const year = [...classicYear()];
  await sendOrders(home.sink, year.slice(0, 2000));
  await home.drain();
  const before = await goldHashes(home);
  const [report] = await Promise.all([
    home.rebuild({ from: "2015-01-01", to: "2015-01-20", source: "bronze", isDryRun: false }),
    sendOrders(home.sink, year.slice(2000, 2500)),
  ]);
  expect(report).toMatchObject({ equal: true, published: false, days: 20 });
  await home.drain();
  expect(await goldHashes(home)).not.toEqual(before);
  expect((await home.verify()).findings).toEqual([]);
  await home.close();

  const again = await pizza(dir, "rebuild");
  expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining("equal: what is published") as string });

  const bronze = join(dir, "lake", "bronze");
  const lost = readdirSync(bronze, { recursive: true, encoding: "utf8" }).find((name) => name.endsWith(".parquet"))!;
  rmSync(join(bronze, lost));
  const refused = await pizza(dir, "rebuild");
  expect(refused).toMatchObject({ code: 3, stdout: expect.stringContaining("nothing was published") as string });
  expect(refused.stdout).toContain(`bronze objects that silver took and that are not there: 1\n  bronze/${lost}`);
}, 120_000);
