import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Outgoing } from "../../producer/batch-builder.ts";
import { createRandom, type Random } from "../../producer/random.ts";
import { createSender } from "../../producer/send-orders.ts";
import { connectPipeline } from "../../targets/local/control-client.ts";
import { dataDirectory, runningProcess } from "../../targets/local/data-directory.ts";
import { findServer } from "../../targets/local/postgres-process.ts";

/** The kills of one replay. */
export interface KillTally {
  /** Kills of a pipeline that was still opening, possibly during its very first start. */
  starting: number;
  /** Kills of a pipeline that was accepting orders. */
  running: number;
  /** Kills that included PostgreSQL. */
  withPostgres: number;
}

export interface KilledReplay {
  dir: string;
  events: readonly Outgoing[];
  kills: number;
  /** Chooses the times of the kills; the instruction that they hit is not deterministic. */
  seed: number;
  onKill?: (tally: KillTally) => void;
}

const script = new URL("../../bin/pizza.ts", import.meta.url).pathname;
/** Milliseconds; a pipeline opens in about a second, and works for a while before the next kill. */
const [longestStart, longestRun] = [800, 1500];
/** Small batches, for more records to land and more objects to refine. */
const batchBytes = 16 * 1024;
const patienceMs = 120_000;

/**
 * Sends events to a local pipeline that is repeatedly killed with SIGKILL and restarted. The events are spread over
 * nine tenths of the kills; the last kills hit the pipeline while it refines and publishes the rest. Resolves when the
 * stream has acknowledged every event; the pipeline is then running.
 */
export async function replayUnderKills({ dir, events, kills, seed, onKill = () => {} }: KilledReplay) {
  const random = createRandom("kills", seed);
  const tally: KillTally = { starting: 0, running: 0, withPostgres: 0 };
  const progress = createProgress();
  const sending = send({ dir, events, until: (share) => progress.reached(share * kills * 0.9) });
  sending.catch((error: Error) => progress.fail(error));
  for (let done = 0; done < kills; done++) {
    await killOnce({ dir, random, tally });
    progress.move(done + 1);
    onKill(tally);
  }
  const pipeline = start(dir);
  await untilReady(dir, pipeline);
  await sending;
  return { tally };
}

/** Starts the pipeline and kills it, in half of the cases before it is open. */
async function killOnce({ dir, random, tally }: { dir: string; random: Random; tally: KillTally }): Promise<void> {
  const pipeline = start(dir);
  const isEarly = random.chance(0.5);
  if (isEarly) await Promise.race([sleep(random.integer(0, longestStart)), ended(pipeline)]);
  else {
    await untilReady(dir, pipeline);
    await sleep(random.integer(0, longestRun));
  }
  if (pipeline.exitCode !== null) throw endedByItself(dir, pipeline);
  tally[isReady(dir, pipeline) ? "running" : "starting"]++;
  pipeline.kill("SIGKILL");
  await ended(pipeline);
  const server = findServer(join(dataDirectory(dir).postgres, "data"));
  if (server === undefined || !random.chance(0.25)) return;
  process.kill(server.pid, "SIGKILL");
  tally.withPostgres++;
}

/** The same process that `./pizza start` starts in the background. */
function start(dir: string): ChildProcess {
  const { root, logs } = dataDirectory(dir);
  mkdirSync(logs, { recursive: true });
  const log = openSync(join(logs, "home.log"), "a");
  return spawn(process.execPath, [script, "start", "--foreground", "--dir", root], {
    detached: true,
    stdio: ["ignore", log, log],
  });
}

function isReady(dir: string, pipeline: ChildProcess): boolean {
  return runningProcess(dataDirectory(dir))?.pid === pipeline.pid;
}

async function untilReady(dir: string, pipeline: ChildProcess): Promise<void> {
  for (const from = Date.now(); !isReady(dir, pipeline); await sleep(20)) {
    if (pipeline.exitCode !== null) throw endedByItself(dir, pipeline);
    if (Date.now() - from > patienceMs) throw new Error(`the pipeline in ${dir} has not opened after ${patienceMs} ms`);
  }
}

function endedByItself(dir: string, { exitCode }: ChildProcess): Error {
  const log = readFileSync(join(dataDirectory(dir).logs, "home.log"), "utf8")
    .trimEnd()
    .split("\n")
    .slice(-8);
  return new Error(`the pipeline in ${dir} exited with code ${exitCode}; its log ends with:\n${log.join("\n")}`);
}

async function ended(pipeline: ChildProcess): Promise<void> {
  if (pipeline.exitCode !== null || pipeline.signalCode !== null) return;
  await new Promise((resolve) => pipeline.once("exit", resolve));
}

/** Sends as a till does: retries what is not acknowledged. */
async function send({
  dir,
  events,
  until,
}: {
  dir: string;
  events: readonly Outgoing[];
  until: (share: number) => Promise<void>;
}): Promise<void> {
  const { sink } = connectPipeline(dataDirectory(dir));
  const patient = { ...sink, openShards: () => untilItAnswers(() => sink.openShards()) };
  const sender = createSender({
    sink: patient,
    batchBytes,
    maxAttempts: Infinity,
    sleep: (milliseconds) => sleep(Math.min(milliseconds, 200)),
  });
  for (const [index, event] of events.entries()) {
    await until(index / events.length);
    await sender.send(event);
  }
  await sender.close();
}

async function untilItAnswers<Result>(ask: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await ask();
    } catch {
      await sleep(50);
    }
  }
}

/** Makes the sender wait for the next kill. */
function createProgress() {
  let done = 0;
  let failure: Error | undefined;
  let wake = Promise.withResolvers<void>();
  return {
    move(to: number): void {
      if (failure !== undefined) throw failure;
      done = to;
      wake.resolve();
      wake = Promise.withResolvers();
    },
    fail: (error: Error) => void (failure = error),
    async reached(kills: number): Promise<void> {
      while (done < Math.floor(kills)) await wake.promise;
    },
  };
}
