import { spawn } from "node:child_process";
import { createReadStream, existsSync, mkdirSync, openSync, readFileSync, statSync, watchFile } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { PipelineStatus } from "../../targets/pipeline-api.ts";
import { connectPipeline } from "../../targets/local/control-client.ts";
import {
  dataDirectory,
  readPipelineRecord,
  rejectLostRecord,
  rejectForeignFolder,
  removeDataDirectory,
  runningProcess,
} from "../../targets/local/data-directory.ts";
import { isFreePort, usedPort, isRunning } from "../../targets/local/machine.ts";
import { readCredentials } from "../../targets/local/postgres-credentials.ts";
import { endProgress, print, printJson, progress, say, UsageError } from "../output.ts";
import { wholeNumber, type Command, type Values } from "../options.ts";
import { statusText } from "../status-text.ts";
import { withReadOnlyPipeline } from "../with-target.ts";
import { endProducer } from "./background.ts";
import { deployedLogs } from "./logs.ts";

const startSeconds = 60;
const maxPort = 65_535;

const startOptions = {
  foreground: { type: "boolean", about: "stay in this terminal; Ctrl-C stops the home" },
  shards: { type: "string", about: "shards of the stream; an existing stream is resharded" },
  port: { type: "string", about: "port of the home's own interface (a free one)" },
  "postgres-port": { type: "string", about: "port of PostgreSQL (55432, or a free one)" },
} as const;

export const start: Command = {
  summary: "start the home in the background, or in the foreground",
  localOnly: {
    aws: (environment) => `make deploy ENV=${environment} puts it up and starts its schedules`,
    localstack:
      "make deploy ENV=localstack starts and deploys it, with its database; make start-localstack only starts it",
  },
  usage: "start [--foreground] [--shards N] [--port N] [--postgres-port N]",
  options: startOptions,
  async run(values) {
    const folder = dataDirectory(values.dir);
    const wanted = readStartOptions(values);
    const running = runningProcess(folder);
    if (running !== undefined) {
      const message = `the home in ${folder.root} already runs in process ${running.pid}, since ${running.startedAt}`;
      if (values["foreground"] === true) throw new Error(`${message}: stop it with ./pizza stop`);
      await refuseOtherOptions(values.dir, wanted);
      if (values.json) printJson({ started: false, process: running.pid });
      else say(message);
      return;
    }
    // Before anything is made: a folder with a database in it would be left behind.
    await refuseUsedPorts(values.dir, wanted);
    if (values["foreground"] === true) return await runInForeground(values, wanted);
    await startInBackground(values);
  },
};

type StartOptions = ReturnType<typeof readStartOptions>;

function readStartOptions(values: Values) {
  return {
    shards: wholeNumber(values, "shards", { min: 1, max: 64 }),
    port: wholeNumber(values, "port", { min: 1, max: maxPort }),
    postgresPort: wholeNumber(values, "postgres-port", { min: 1, max: maxPort }),
  };
}

/** A home that runs takes no options: what is asked for must be what it has. */
async function refuseOtherOptions(dir: string, { shards, port, postgresPort }: StartOptions): Promise<void> {
  if ([shards, port, postgresPort].every((option) => option === undefined)) return;
  const { stream, postgres } = await connectPipeline(dataDirectory(dir)).status();
  const options = [
    { option: "--shards", wanted: shards, has: stream.shards },
    { option: "--port", wanted: port, has: runningProcess(dataDirectory(dir))?.port },
    { option: "--postgres-port", wanted: postgresPort, has: postgres.port },
  ].filter(({ wanted, has }) => wanted !== undefined && wanted !== has);
  if (options.length === 0) return;
  const has = options.map((other) => `${other.option} ${other.has}`).join(" ");
  const wanted = options.map((other) => `${other.option} ${other.wanted}`).join(" ");
  throw new Error(`the home already runs with ${has}: ./pizza restart ${wanted}`);
}

/** Throws where another program has a port that was asked for. */
async function refuseUsedPorts(dir: string, { port, postgresPort }: StartOptions): Promise<void> {
  if (port !== undefined && !(await isFreePort(port))) throw usedPort(port, "--port");
  // An existing home may find its own PostgreSQL there, left behind by a killed process.
  const isNew = readPipelineRecord(dataDirectory(dir)) === undefined;
  if (isNew && postgresPort !== undefined && !(await isFreePort(postgresPort))) {
    throw usedPort(postgresPort, "--postgres-port");
  }
}

async function runInForeground(values: Values, { port = 0, ...homeOptions }: StartOptions): Promise<void> {
  const { announcePipeline, openLocalPipeline } = await import("../../targets/local/open.ts");
  const { startControlServer } = await import("../../targets/local/control-server.ts");
  const log = (line: string): void => say(`${new Date().toISOString()} ${line}`);
  const pipeline = await openLocalPipeline({
    dir: values.dir,
    ...homeOptions,
    onLog: log,
  });
  let stopped = (): void => {};
  const untilStopped = new Promise<void>((resolve) => (stopped = resolve));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => stopped());
  try {
    const announcement = announcePipeline(values.dir);
    const server = await startControlServer(pipeline, { port, token: announcement.token, onStop: () => stopped() });
    announcement.publish(server.port);
    log(`the home in ${dataDirectory(values.dir).root} is ready: process ${process.pid}, port ${server.port}`);
    await untilStopped;
    log("stopping");
    await server.close();
    announcement.withdraw();
  } finally {
    await pipeline.close();
  }
  log("stopped");
}

async function startInBackground(values: Values): Promise<void> {
  const folder = dataDirectory(values.dir);
  if (readPipelineRecord(folder) === undefined) rejectForeignFolder(folder);
  mkdirSync(folder.logs, { recursive: true });
  const logFile = join(folder.logs, "home.log");
  const logStart = existsSync(logFile) ? statSync(logFile).size : 0;
  const log = openSync(logFile, "a");
  const passed = ["shards", "port", "postgres-port"].flatMap((name) =>
    typeof values[name] === "string" ? [`--${name}`, values[name]] : [],
  );
  const script = process.argv[1]!;
  const child = spawn(process.execPath, [script, "start", "--foreground", "--dir", folder.root, ...passed], {
    detached: true,
    stdio: ["ignore", log, log],
  });
  let exited: number | null | undefined;
  child.once("exit", (code) => (exited = code));
  for (let waited = 0; waited < startSeconds * 10; waited++) {
    const running = runningProcess(folder);
    if (running !== undefined && running.pid === child.pid) {
      endProgress();
      child.unref();
      const { port, wishedPort } = (await readCredentials(folder.postgres)) ?? {};
      if (wishedPort !== undefined)
        say(`port ${wishedPort} is used by another program: PostgreSQL has ${port} this time`);
      if (values.json) printJson({ started: true, process: child.pid, port: running.port });
      else say(`the home runs in process ${child.pid}: ./pizza status, ./pizza produce, ./pizza stop`);
      return;
    }
    if (exited !== undefined) break;
    progress(`starting the home in ${folder.root}`);
    await sleep(100);
  }
  endProgress();
  const said = readFileSync(logFile).subarray(logStart).toString("utf8").trim().split("\n").slice(-5).join("\n");
  if (exited === undefined) child.kill();
  throw new Error(`the home did not start; its log ${logFile} ends with:\n${said}`);
}

export const stop: Command = {
  summary: "stop the home that runs in the background",
  usage: "stop",
  localOnly: {
    aws: (environment) => `make stop ENV=${environment} stops its schedules; landing goes on, so that nothing is lost`,
    localstack: "make stop-localstack stops it, and all that it holds is forgotten",
  },
  async run(values) {
    const { dir, json } = values;
    const folder = dataDirectory(dir);
    // First, while the home still takes what the producer has begun.
    const producer = await endProducer(dir);
    if (producer !== undefined && !json) say(`stopped the producer, process ${producer}`);
    const running = runningProcess(folder);
    if (running === undefined) {
      if (json) printJson({ stopped: false });
      else say(`no home runs in ${folder.root}`);
      return;
    }
    // A home that hangs is asked by signal.
    await connectPipeline(folder)
      .stop()
      .catch(() => process.kill(running.pid, "SIGTERM"));
    for (let waited = 0; isRunning(running.pid); waited++) {
      if (waited > 300) throw new Error(`process ${running.pid} does not end: see ./pizza logs, then kill it`);
      await sleep(100);
    }
    if (json) printJson({ stopped: true, process: running.pid });
    else say(`stopped process ${running.pid}; nothing is lost, ./pizza start goes on from here`);
  },
};

export const restart: Command = {
  summary: "stop and start",
  localOnly: {
    aws: (environment) => `there is no process to start again; make deploy ENV=${environment} puts the newest code up`,
    localstack:
      "make deploy ENV=localstack puts the newest code up; make stop-localstack before it begins anew, and forgets all",
  },
  usage: "restart [--shards N] [--port N] [--postgres-port N]",
  options: startOptions,
  async run(values, words) {
    const wanted = readStartOptions(values);
    const { port } = runningProcess(dataDirectory(values.dir)) ?? {};
    // What cannot be started again is not stopped.
    await refuseUsedPorts(values.dir, { ...wanted, port: wanted.port === port ? undefined : wanted.port });
    await stop.run({ ...values, json: false }, words);
    return await start.run(values, words);
  },
};

export const status: Command = {
  summary: "how the home is: stream, layers, workflows, freshness",
  usage: "status",
  async run(values) {
    const running = values.target === "local" ? runningProcess(dataDirectory(values.dir)) : undefined;
    const found = await withReadOnlyPipeline(values, (pipeline) => pipeline.status());
    const { pid, port, startedAt } = running ?? {};
    const full: PipelineStatus =
      running === undefined ? found : { ...found, process: { pid, port, startedAt } as PipelineStatus["process"] & {} };
    if (values.json) printJson(full);
    else print(statusText(full));
  },
};

export const logs: Command = {
  summary: "the log of the home in the background, or of a deployed home's functions",
  usage: "logs [--lines N] [--follow] [--function NAME]",
  options: {
    lines: { type: "string", about: "how many lines (50)" },
    follow: { type: "boolean", about: "go on as the log grows, until Ctrl-C" },
    function: { type: "string", about: "deployed homes: of this function alone, such as RefineSilver" },
  },
  async run(values) {
    const lines = wholeNumber(values, "lines", { min: 1, max: 1_000_000 }) ?? 50;
    if (values.target !== "local") return await deployedLogs(values, lines);
    if (values["follow"] === true && values.json) throw new UsageError("--follow never ends, --json is one document");
    if (values["function"] !== undefined) throw new UsageError("--function is for deployed homes: add --target aws");
    const path = join(dataDirectory(values.dir).logs, "home.log");
    if (!existsSync(path)) throw new Error(`there is no log ${path}: the home was never started in the background`);
    const tail = readFileSync(path, "utf8").trimEnd().split("\n").slice(-lines);
    if (values.json) return printJson(tail);
    print(tail.join("\n"));
    if (values["follow"] !== true) return;
    let seen = statSync(path).size;
    watchFile(path, { interval: 300 }, ({ size }) => {
      if (size > seen) createReadStream(path, { start: seen, end: size - 1 }).pipe(process.stdout, { end: false });
      seen = size;
    });
    await new Promise((resolve) => process.once("SIGINT", resolve));
    process.exit(0);
  },
};

export const clean: Command = {
  summary: "stop the home and remove its folder with all data",
  usage: "clean [--yes]",
  localOnly: {
    aws: (environment) => `deleting the data of ${environment} takes two steps, see docs/deploy.md`,
    localstack:
      "make stop-localstack forgets all its data; node_modules/.bin/node bin/localstack.ts clean removes its installation too",
  },
  options: { yes: { type: "boolean", about: "do not ask" } },
  async run(values, words) {
    const folder = dataDirectory(values.dir);
    if (!existsSync(folder.root)) {
      if (values.json) printJson({ removed: false });
      else say(`there is nothing in ${folder.root}`);
      return 0;
    }
    rejectLostRecord(folder);
    if (readPipelineRecord(folder) === undefined) throw new Error(`${folder.root} is not a home: remove it by hand`);
    if (values["yes"] !== true && !(await isConfirmed(folder.root))) return 1;
    await stop.run({ ...values, json: false }, words);
    const left = removeDataDirectory(folder);
    if (values.json) printJson({ removed: true, left });
    else if (left.length === 0) say(`removed ${folder.root}`);
    else say(`removed the home in ${folder.root}; what is not the home's was left there: ${left.join(", ")}`);
    return 0;
  },
};

async function isConfirmed(root: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new UsageError("clean removes all data: add --yes");
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`remove ${root} and all orders in it? [y/N] `);
  terminal.close();
  return answer.trim().toLowerCase().startsWith("y");
}
