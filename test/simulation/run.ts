import { fork, type ChildProcess } from "node:child_process";
import { availableParallelism } from "node:os";
import { wholeNumber } from "../../bin/options.ts";
import { scriptOptions } from "../../scripts/script-options.ts";
import { addCoverage, coverageTable, type Coverage } from "./coverage.ts";
import { startLaboratoryServer, type Database } from "./laboratory.ts";
import type { Answer, Failure, Request } from "./worker.ts";

const usage = `npm run simulate -- [--histories N] [--seed S] [--workers W]

  --histories  how many, 1000 without it
  --seed       the seed of the first; the others follow it
  --workers    processes, one for each core without it`;
const whole = { min: 1, max: Number.MAX_SAFE_INTEGER };
const { histories, seed, workers } = scriptOptions(
  { usage, options: { histories: { type: "string" }, seed: { type: "string" }, workers: { type: "string" } } },
  (values) => ({
    histories: wholeNumber(values, "histories", whole) ?? 1000,
    seed: wholeNumber(values, "seed", whole) ?? 1,
    workers: wholeNumber(values, "workers", whole) ?? availableParallelism(),
  }),
);
const mostSeedsAtOnce = 25;

const coverage: Coverage = { faults: {}, guards: {} };
const failures: Failure[] = [];
let [done, steps, asked] = [0, 0, 0];

const started = performance.now();
const server = await startLaboratoryServer(workers);
try {
  await Promise.all(server.databases.map(work));
} finally {
  await server.stop();
}
report();

/** Sends seeds to one worker until there are none left or a history violates an invariant. */
function work(database: Database): Promise<void> {
  // Most objects are short-lived, so a large young generation saves garbage collection. There is one worker per core,
  // so each uses one thread of each kind; only one step is taken at a time anyway.
  const options = {
    execArgv: ["--max-semi-space-size=64", "--single-threaded-gc", "--v8-pool-size=1"],
    env: { ...process.env, UV_THREADPOOL_SIZE: "1" },
  };
  const child = fork(new URL("worker.ts", import.meta.url), [JSON.stringify(database)], options);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.on("message", (answer: Answer) => {
    note(answer);
    send(child, nextRequest());
  });
  child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`a worker ended with code ${code}`))));
  return promise;
}

function send(child: ChildProcess, request: Request): void {
  child.send(request);
}

function nextRequest(): Request {
  if (failures.length > 0 || asked >= histories) return "end";
  const count = Math.min(mostSeedsAtOnce, histories - asked);
  const request = { from: seed + asked, count };
  asked += count;
  return request;
}

function note(answer: Answer): void {
  done += answer.histories;
  steps += answer.steps;
  addCoverage(coverage, answer.coverage);
  if (answer.failure) failures.push(answer.failure);
  if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${histories} histories`);
}

function report(): void {
  const seconds = (performance.now() - started) / 1000;
  if (process.stderr.isTTY) process.stderr.write("\r");
  console.log(coverageTable(coverage));
  const rate = `${(done / seconds).toFixed(0)} a second`;
  console.log(`\n${done} histories from seed ${seed}, ${steps} steps, ${seconds.toFixed(0)} s, ${rate}`);
  for (const failure of failures) tell(failure);
  console.log(failures.length === 0 ? "0 violations: all eight invariants hold in every history" : "");
  process.exitCode = failures.length === 0 ? 0 : 1;
}

function tell({ seed: failed, violations, shortest }: Failure): void {
  console.log(`\nSEED ${failed} BREAKS AN INVARIANT (again: npm run simulate -- --seed ${failed} --histories 1)`);
  for (const violation of violations.slice(0, 10)) console.log(`  ${violation}`);
  console.log(`the shortest history like it, ${shortest.steps} steps:`);
  for (const line of shortest.trace) console.log(`  ${line}`);
  for (const violation of shortest.violations.slice(0, 10)) console.log(`  => ${violation}`);
}
