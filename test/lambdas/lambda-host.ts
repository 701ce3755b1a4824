import { fork } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { setTimeout } from "node:timers/promises";
import type { FunctionBundle } from "../../lib/bundle-function.ts";
import { callerId } from "../support/recorded-calls.ts";

/** A deployed function in a separate process. */
export interface LambdaHost {
  /** Returns the function's response; throws an error with the name and message of the one that it threw. */
  invoke(event: unknown): Promise<unknown>;
  /** Its log so far. */
  log(): string;
  /** Its JSON log lines that have this key, parsed. */
  lines(key: string): Record<string, unknown>[];
  /** The most memory that its process has had resident, in megabytes of 1,000,000 bytes. */
  peakMegabytes(): number;
  close(): Promise<void>;
}

const runtime = new URL("lambda-runtime.ts", import.meta.url).pathname;

/**
 * Lambda's runtime gives a tenth of the function's memory to V8's young generation, as two semi-spaces, and the rest to
 * the old one.
 */
function heapOptions(memoryMegabytes: number): string[] {
  const young = Math.floor(memoryMegabytes / 10);
  return [`--max-semi-space-size=${Math.floor(young / 2)}`, `--max-old-space-size=${memoryMegabytes - young}`];
}

/**
 * Starts a bundled function as Lambda does: from its folder and handler string, with only the variables that Lambda
 * sets, and with the heap of a function with this memory.
 */
export function startLambda(
  bundle: FunctionBundle,
  environment: Record<string, string>,
  { memoryMegabytes = 1024 }: { memoryMegabytes?: number } = {},
): LambdaHost {
  const { NODE_COMPILE_CACHE: compileCache } = process.env;
  const child = fork(runtime, compileCache === undefined ? [] : [compileCache], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    execArgv: heapOptions(memoryMegabytes),
    env: {
      _HANDLER: bundle.handler,
      LAMBDA_TASK_ROOT: bundle.path,
      AWS_LAMBDA_FUNCTION_NAME: bundle.name,
      AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
      AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
      AWS_REGION: "eu-central-1",
      // Identifies the caller to the servers: forbidden-calls.ts compares a function's calls with what its role allows.
      AWS_ACCESS_KEY_ID: callerId(bundle.name, environment["LAKE_SQL"]),
      AWS_SECRET_ACCESS_KEY: "test",
      POWERTOOLS_SERVICE_NAME: "pizza-sales",
      POWERTOOLS_METRICS_NAMESPACE: "PizzaSales",
      ENVIRONMENT: "test",
      TMPDIR: tmpdir(),
      ...environment,
    },
  });
  let log = "";
  let calls = 0;
  for (const stream of [child.stdout!, child.stderr!]) stream.on("data", (chunk: Buffer) => (log += chunk.toString()));
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`the process of ${bundle.name} ended with ${code}:\n${log}`);
  });
  ended.catch(() => {});
  const answer = async () => (await Promise.race([once(child, "message"), ended]))[0] as Answer;
  const ready = answer();
  ready.catch(() => {});
  let last: Promise<unknown> = ready;

  /** The response does not come through the log: waits until both pipes have marked the end of the call. */
  async function logged(end: string): Promise<void> {
    while (log.split(end).length < 3) await Promise.race([setTimeout(5), ended]);
  }

  async function call(event: unknown): Promise<unknown> {
    await ready;
    const pending = answer();
    child.send(JSON.parse(JSON.stringify(event)) as object);
    const { result, error } = await pending;
    await logged(`END RequestId: request-${(calls += 1)}\n`);
    if (error) throw Object.assign(new Error(error.errorMessage), { name: error.errorType });
    return result === undefined ? undefined : JSON.parse(result);
  }

  return {
    invoke: async (event) => {
      // An instance of a function handles one event at a time.
      const mine = last.then(
        () => call(event),
        () => call(event),
      );
      last = mine;
      return await mine;
    },
    log: () => log,
    lines: (key) =>
      log
        .split("\n")
        .filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .filter((line) => key in line),
    peakMegabytes: () => Math.max(...[...log.matchAll(/Max Memory Used: (\d+) MB/g)].map(([, used]) => Number(used))),
    async close() {
      const gone = once(child, "close");
      if (child.exitCode === null && child.signalCode === null) {
        child.kill();
        await gone;
      }
    },
  };
}

interface Answer {
  ready?: true;
  result?: string;
  error?: { errorType: string; errorMessage: string };
}
