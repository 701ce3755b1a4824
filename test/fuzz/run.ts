/**
 * `npm run fuzz -- --seed 1 --records 100000`: random stream records through a local pipeline in its own process, whose
 * memory is measured.
 */
import { spawn } from "node:child_process";
import { mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { wholeNumber } from "../../bin/options.ts";
import { scriptOptions } from "../../scripts/script-options.ts";
import { connectPipeline } from "../../targets/local/control-client.ts";
import { dataDirectory, runningProcess } from "../../targets/local/data-directory.ts";
import { script, temporaryPipeline } from "../e2e/command-line-fixture.ts";
import { fuzzPipeline } from "./fuzz-pipeline.ts";

const usage = `npm run fuzz -- [--records N] [--seed S] [--keep]

  --records  how many stream records, 10000 without it
  --seed     of the records, a new one without it
  --keep     keeps the data directory also where all is well`;
const newSeed = Math.floor(Math.random() * 1e9);
const { records, seed, isKept } = scriptOptions(
  { usage, options: { records: { type: "string" }, seed: { type: "string" }, keep: { type: "boolean" } } },
  (values) => ({
    records: wholeNumber(values, "records", { min: 1, max: 10_000_000 }) ?? 10_000,
    seed: wholeNumber(values, "seed", { min: 0, max: Number.MAX_SAFE_INTEGER }) ?? newSeed,
    isKept: values["keep"] === true,
  }),
);
const mostMiB = 1024;
const reporter = new URL("../../bench/report-peak.ts", import.meta.url).href;

const { dir, remove } = temporaryPipeline();
const peakFile = join(dir, "..", "peak.json");
const say = (text: string) => void process.stderr.write(`${text}\n`);
say(`${records} records of seed ${seed} into ${dir}`);

const started = performance.now();
const child = await startPipeline();
const pipeline = connectPipeline(dataDirectory(dir));
const onProgress = (sent: number) => process.stderr.isTTY && process.stderr.write(`\r${sent} of ${records} records`);
const result = await fuzzAndStop();
const { peakMiB, cpuSeconds }: { peakMiB: number; cpuSeconds: number } = JSON.parse(readFileSync(peakFile, "utf8"));
const problems = [
  ...result.problems,
  ...(peakMiB < mostMiB
    ? []
    : [
        `the pipeline's process took ${peakMiB.toFixed(0)} MiB, more than ${mostMiB} (the receipt holds every order in memory: docs/scale.md)`,
      ]),
];
const seconds = (performance.now() - started) / 1000;
console.log(
  `seed ${seed}: ${result.records} records, ${result.events} events, ${(result.unpackedBytes / 1e6).toFixed(0)} MB unpacked, ` +
    `${seconds.toFixed(0)} s (${cpuSeconds.toFixed(0)} s of CPU time in the pipeline), peak ${peakMiB.toFixed(0)} MiB`,
);
for (const problem of problems) console.log(`WRONG: ${problem}`);
console.log(
  problems.length === 0 ? "every event is in silver or in the quarantine, once, and the receipt balances" : "",
);
if (problems.length > 0 || isKept) say(`the data directory is kept in ${dir}`);
else remove();
process.exitCode = problems.length === 0 ? 0 : 1;

async function fuzzAndStop() {
  try {
    return await fuzzPipeline(pipeline, { dir, seed, records, onProgress });
  } finally {
    await stopPipeline();
  }
}

async function startPipeline() {
  const { logs, root } = dataDirectory(dir);
  mkdirSync(logs, { recursive: true });
  const log = openSync(join(logs, "home.log"), "a");
  const home = spawn(process.execPath, ["--import", reporter, script, "start", "--foreground", "--dir", root], {
    stdio: ["ignore", log, log],
    env: { ...process.env, PIZZA_BENCH_PEAK: peakFile },
  });
  while (runningProcess(dataDirectory(dir))?.pid !== home.pid) {
    if (home.exitCode !== null) throw new Error(`the pipeline in ${dir} ended with ${home.exitCode}`);
    await sleep(50);
  }
  return home;
}

/** Lets it write its peak. */
async function stopPipeline(): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await ended;
}
