/**
 * `npm run crash -- --kills 50 --seed 1`: the classic year with faults, through a pipeline that is killed repeatedly.
 */
import { wholeNumber } from "../../bin/options.ts";
import { receiptTable } from "../../bin/receipt-table.ts";
import { connectPipeline } from "../../targets/local/control-client.ts";
import { dataDirectory } from "../../targets/local/data-directory.ts";
import { openLocalPipeline } from "../../targets/local/open.ts";
import { createSender } from "../../producer/send-orders.ts";
import type { Receipt } from "../../pipeline/domain/receipt.ts";
import { scriptOptions } from "../../scripts/script-options.ts";
import { goldHashes, pizza, temporaryPipeline } from "../e2e/command-line-fixture.ts";
import { replayUnderKills } from "./killed-pipeline.ts";
import { classicTotals, wildYear } from "./wild-year.ts";

const usage = `npm run crash -- [--kills N] [--seed S] [--keep]

  --kills  how often the pipeline is killed; the default is 50
  --seed   of the moments and the faults
  --keep   keeps the data directory even if no problem is found`;
const { kills, seed, isKept } = scriptOptions(
  { usage, options: { kills: { type: "string" }, seed: { type: "string" }, keep: { type: "boolean" } } },
  (values) => ({
    kills: wholeNumber(values, "kills", { min: 0, max: 10_000 }) ?? 50,
    seed: wholeNumber(values, "seed", { min: 0, max: Number.MAX_SAFE_INTEGER }) ?? 1,
    isKept: values["keep"] === true,
  }),
);
const events = wildYear(seed);
const started = Date.now();
const say = (text: string) => void process.stderr.write(`${text}\n`);

const calm = temporaryPipeline();
say(`${events.length} events of the classic year with faults (seed ${seed}) into a pipeline that is never killed`);
const expected = await calmGold(calm.dir);
calm.remove();

const wild = temporaryPipeline();
say(`the same events into ${wild.dir}, killed ${kills} times`);
const { tally } = await replayUnderKills({
  dir: wild.dir,
  events,
  kills,
  seed,
  onKill: ({ starting, running }) => (starting + running) % 10 === 0 && say(`${starting + running} kills`),
});
const pipeline = connectPipeline(dataDirectory(wild.dir));
await pipeline.drain();
const gold = await goldHashes(pipeline);
const { code, stdout } = await pizza(wild.dir, "verify", "--json");
const receipt = JSON.parse(stdout) as Receipt;
await pizza(wild.dir, "stop");

const problems = [
  ...(code === 0 ? [] : [`./pizza verify ended with exit code ${code}`]),
  ...(JSON.stringify(receipt.gold) === JSON.stringify(classicTotals) ? [] : ["gold is not the classic year's total"]),
  ...Object.keys(expected)
    .filter((table) => gold[table] !== expected[table])
    .map((table) => `${table} differs`),
];
process.stdout.write(`${receiptTable(receipt)}\n\n`);
process.stdout.write(
  `${kills} kills (${tally.running} at work, ${tally.starting} while opening, ${tally.withPostgres} with PostgreSQL), ` +
    `${Object.keys(expected).length} gold tables compared, ${Math.round((Date.now() - started) / 1000)} s, seed ${seed}\n`,
);
for (const problem of problems) process.stdout.write(`WRONG: ${problem}\n`);
if (problems.length > 0 || isKept) say(`the data directory is kept in ${wild.dir}`);
else wild.remove();
process.exitCode = problems.length === 0 ? 0 : 1;

async function calmGold(dir: string): Promise<Record<string, string>> {
  const open = await openLocalPipeline({ dir });
  try {
    const sender = createSender({ sink: open.sink });
    for (const event of events) await sender.send(event);
    await sender.close();
    await open.drain();
    return await goldHashes(open);
  } finally {
    await open.close();
  }
}
