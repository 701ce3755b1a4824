import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { loadCase, type Case, type CaseResult, type MeasuredVariant, type BenchSetting } from "./case.ts";
import type { Answer, Request } from "./worker.ts";

const workerPath = new URL("worker.ts", import.meta.url).pathname;

type Round = Extract<Answer, { kind: "round" }>;

/** Runs one process per variant: a warm-up each, then alternating rounds, so that other load affects all equally. */
export async function measureCase(
  name: string,
  setting: BenchSetting,
  onProgress: (text: string) => void,
): Promise<CaseResult> {
  const benchmark = await loadCase(name);
  const rounds = benchmark.rounds ?? setting.size.rounds;
  if (benchmark.prepare !== undefined) {
    onProgress("preparing");
    await finish(startWorker(name, "prepare", setting));
  }
  const names = Object.keys(benchmark.variants);
  const workers: ChildProcess[] = [];
  try {
    for (const variant of names) {
      onProgress(`setting up: ${variant}`);
      workers.push(startWorker(name, variant, setting));
      await answerOf(workers.at(-1)!);
    }
    const samples = await takeTurns({ benchmark, names, workers, rounds, onProgress });
    const variants: MeasuredVariant[] = [];
    for (const [index, variant] of names.entries()) {
      const closed = await ask(workers[index]!, "close");
      if (closed.kind === "closed") variants.push(summarise(variant, samples[index]!, closed));
    }
    return { name, title: benchmark.title, unit: benchmark.unit, rounds, variants };
  } finally {
    for (const worker of workers) if (worker.connected) worker.kill();
  }
}

async function takeTurns({
  benchmark,
  names,
  workers,
  rounds,
  onProgress,
}: {
  benchmark: Case;
  names: readonly string[];
  workers: readonly ChildProcess[];
  rounds: number;
  onProgress: (text: string) => void;
}): Promise<Round[][]> {
  const samples: Round[][] = workers.map(() => []);
  for (let round = benchmark.warmUp === false ? 1 : 0; round <= rounds; round++) {
    for (const [index, worker] of workers.entries()) {
      onProgress(`${round === 0 ? "warm-up" : `round ${round} of ${rounds}`}: ${names[index]}`);
      const answer = await ask(worker, round === 0 ? "warm up" : "round");
      if (answer.kind === "round") samples[index]!.push(answer);
    }
  }
  return samples;
}

function summarise(
  variant: string,
  rounds: readonly Round[],
  { peakMiB, startMiB }: { peakMiB: number; startMiB: number },
): MeasuredVariant {
  const cpu = rounds.map(({ cpuSeconds }) => cpuSeconds);
  return {
    variant,
    units: median(rounds.map(({ work }) => work.units)),
    cpuSeconds: median(cpu),
    wallSeconds: median(rounds.map(({ wallSeconds }) => wallSeconds)),
    spread: (Math.max(...cpu) - Math.min(...cpu)) / median(cpu),
    peakMiB,
    startMiB,
    figures: medians(rounds.map(({ work }) => work.figures ?? {})),
  };
}

function startWorker(name: string, variant: string, setting: BenchSetting): ChildProcess {
  return fork(workerPath, [name, variant, JSON.stringify(setting)], { stdio: ["ignore", 2, 2, "ipc"] });
}

async function finish(worker: ChildProcess): Promise<void> {
  const [code] = await once(worker, "exit");
  if (code !== 0) throw new Error(`benchmark worker exited with ${code}: see its message above`);
}

function ask(worker: ChildProcess, request: Request): Promise<Answer> {
  const answer = answerOf(worker);
  worker.send(request);
  return answer;
}

function answerOf(worker: ChildProcess): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) =>
      reject(new Error(`benchmark worker exited with ${code}: see its message above`));
    worker.once("exit", onExit);
    worker.once("message", (answer: Answer) => {
      worker.removeListener("exit", onExit);
      resolve(answer);
    });
  });
}

/** The median; for an even count, the mean of the two middle values. */
function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Medians of every figure by name. */
function medians(samples: readonly Record<string, number>[]): Record<string, number> {
  const names = new Set(samples.flatMap((sample) => Object.keys(sample)));
  return Object.fromEntries(
    [...names].map((name) => [name, median(samples.map((sample) => sample[name] ?? Number.NaN))]),
  );
}
