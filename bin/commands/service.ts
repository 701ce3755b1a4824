import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { readMenu, readStores } from "../../adapters/project-files.ts";
import { errorCode } from "../../pipeline/domain/errors.ts";
import { connectPipeline } from "../../targets/local/control-client.ts";
import {
  dataDirectory,
  heartbeatFile,
  keepFilesPrivate,
  openedBy,
  readPipelineRecord,
  rejectForeignFolder,
  rejectLostRecord,
  removeDataDirectory,
  runningProcess,
  type DataDirectory,
} from "../../targets/local/data-directory.ts";
import { openEventLog, type Log } from "../../targets/local/event-log.ts";
import { findServer, stopServer } from "../../targets/local/postgres-process.ts";
import { isFreePort, isRunning, usedPort } from "../../targets/local/machine.ts";
import { readCredentials } from "../../targets/local/postgres-credentials.ts";
import { answered } from "../../targets/pipeline-api.ts";
import { wholeNumber, type Command, type Values } from "../options.ts";
import { endProgress, printJson, progress, say, UsageError } from "../output.ts";
import { endProducer } from "./background.ts";

const startSeconds = 60;
const maxPort = 65_535;

const startOptions = {
  foreground: { type: "boolean", about: "run in this terminal until Ctrl-C" },
  shards: { type: "string", about: "number of stream shards; an existing stream is resharded" },
  port: { type: "string", about: "port of the control server (default: any free port)" },
  "postgres-port": { type: "string", about: "port of PostgreSQL (default: 55432, or a free port if it is in use)" },
  "changed-catalog": {
    type: "boolean",
    about: "start although menu or stores have changed for days that silver has; orders there stay as they are",
  },
} as const;

export const start: Command = {
  summary: "start the local pipeline in the background",
  localOnly: {
    aws: (environment) => `make deploy ENV=${environment} deploys it and starts its schedules`,
    localstack:
      "make deploy ENV=localstack starts it with its database and deploys to it; make start-localstack only starts it",
  },
  examples: ["start", "start --shards 4 --postgres-port 5433"],
  usage: "start [--foreground] [--shards N] [--port N] [--postgres-port N] [--changed-catalog]",
  options: startOptions,
  async run(values) {
    const folder = dataDirectory(values.dir);
    const wanted = readStartOptions(values);
    const running = runningProcess(folder);
    if (running !== undefined) {
      const message = `the local pipeline in ${folder.root} is already running: process ${running.pid}, since ${running.startedAt}`;
      if (values["foreground"] === true) throw new Error(`${message}: stop it with ./pizza stop`);
      await rejectChangedOptions(values.dir, wanted);
      if (values.json) printJson({ started: false, process: running.pid });
      else say(message);
      return;
    }
    // Checked before anything is created: a later failure would leave behind a folder with a database.
    await rejectUsedPorts(values.dir, wanted);
    if (values["foreground"] === true) return await runInForeground(values, wanted);
    await startInBackground(values);
  },
};

type StartCommandOptions = ReturnType<typeof readStartOptions>;

function readStartOptions(values: Values) {
  return {
    shards: wholeNumber(values, "shards", { min: 1, max: 64 }),
    port: wholeNumber(values, "port", { min: 1, max: maxPort }),
    postgresPort: wholeNumber(values, "postgres-port", { min: 1, max: maxPort }),
  };
}

/** Options have no effect on a running pipeline, so they must match the ones it runs with. */
async function rejectChangedOptions(dir: string, { shards, port, postgresPort }: StartCommandOptions): Promise<void> {
  if ([shards, port, postgresPort].every((option) => option === undefined)) return;
  const { stream, postgres } = answered(await connectPipeline(dataDirectory(dir)).status());
  const options = [
    { option: "--shards", wanted: shards, has: stream.shards },
    { option: "--port", wanted: port, has: runningProcess(dataDirectory(dir))?.port },
    { option: "--postgres-port", wanted: postgresPort, has: postgres.port },
  ].filter(({ wanted, has }) => wanted !== undefined && wanted !== has);
  if (options.length === 0) return;
  const has = options.map((other) => `${other.option} ${other.has}`).join(" ");
  const wanted = options.map((other) => `${other.option} ${other.wanted}`).join(" ");
  throw new Error(`the local pipeline is already running with ${has}: change it with ./pizza restart ${wanted}`);
}

/** Throws if another program uses a requested port. */
async function rejectUsedPorts(dir: string, { port, postgresPort }: StartCommandOptions): Promise<void> {
  if (port !== undefined && !(await isFreePort(port))) throw usedPort(port, "--port");
  // In an existing data directory the port may belong to its own PostgreSQL, left running by a killed process.
  const isNew = readPipelineRecord(dataDirectory(dir)) === undefined;
  if (isNew && postgresPort !== undefined && !(await isFreePort(postgresPort))) {
    throw usedPort(postgresPort, "--postgres-port");
  }
}

async function runInForeground(values: Values, { port = 0, ...pipelineOptions }: StartCommandOptions): Promise<void> {
  const { announcePipeline, openLocalPipeline } = await import("../../targets/local/open.ts");
  const { startControlServer } = await import("../../targets/local/control-server.ts");
  const { alertSettings, createAlerts } = await import("../../targets/local/alerts.ts");
  const { startSupervisor } = await import("../../targets/local/supervisor.ts");
  const settings = alertSettings(process.env);
  const folder = dataDirectory(values.dir);
  if (readPipelineRecord(folder) === undefined) rejectForeignFolder(folder);
  keepFilesPrivate();
  const events = openEventLog(folder);
  const log: Log = (text, about) => {
    events.log(text, about);
    // In the background the terminal's place is a file that is not rotated.
    if (process.env[inBackground] === undefined) say(`${new Date().toISOString()} ${text}`);
  };
  const alerts = createAlerts({ settings, log });
  const pipeline = await openLocalPipeline({
    dir: values.dir,
    ...pipelineOptions,
    takesChangedCatalog: values["changed-catalog"] === true,
    onLog: log,
    notifier: alerts,
  }).catch(async (error: Error) => {
    log(error.message, { level: "error", event: "start_failed" });
    await events.flush();
    throw error;
  });
  let stopped = (): void => {};
  const untilStopped = new Promise<void>((resolve) => (stopped = resolve));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => stopped());
  try {
    const announcement = announcePipeline(values.dir);
    const server = await startControlServer(pipeline, {
      port,
      token: announcement.token,
      onStop: () => stopped(),
      // The page is bundled when somebody first opens it.
      consoleFiles: async () => await (await import("../../console/bundle.ts")).bundleConsole(),
      onLog: log,
    });
    announcement.publish(server.port);
    log(`the local pipeline in ${folder.root} is ready: process ${process.pid}, port ${server.port}`);
    const status = async () => await pipeline.status();
    const supervisor = startSupervisor({ status, heartbeat: heartbeatFile(folder), notifier: alerts, log });
    await untilStopped;
    log("stopping");
    await supervisor.stop();
    await server.close();
    announcement.withdraw();
  } finally {
    await pipeline.close();
  }
  log("stopped");
  await alerts.settled();
  await events.flush();
}

/** Set for the process that `./pizza start` leaves in the background. */
const inBackground = "PIZZA_IN_BACKGROUND";
/** What the process prints before it can log; it is kept small at each start. */
const mostPrintedBytes = 256 * 1024;

async function startInBackground(values: Values): Promise<void> {
  const folder = dataDirectory(values.dir);
  if (readPipelineRecord(folder) === undefined) rejectForeignFolder(folder);
  keepFilesPrivate();
  mkdirSync(folder.logs, { recursive: true });
  const logFile = join(folder.logs, "home.log");
  if (existsSync(logFile) && statSync(logFile).size > mostPrintedBytes) truncateSync(logFile);
  const logStart = existsSync(logFile) ? statSync(logFile).size : 0;
  const log = openSync(logFile, "a");
  const passed = ["shards", "port", "postgres-port"].flatMap((name) =>
    typeof values[name] === "string" ? [`--${name}`, values[name]] : [],
  );
  if (values["changed-catalog"] === true) passed.push("--changed-catalog");
  const script = process.argv[1]!;
  const child = spawn(process.execPath, [script, "start", "--foreground", "--dir", folder.root, ...passed], {
    detached: true,
    stdio: ["ignore", log, log],
    env: { ...process.env, [inBackground]: "1" },
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
        say(`port ${wishedPort} is used by another program: PostgreSQL listens on ${port} this time`);
      if (values.json) printJson({ started: true, process: child.pid, port: running.port });
      else say(`the local pipeline is running in process ${child.pid}: try ./pizza status, produce or stop`);
      return;
    }
    if (exited !== undefined) break;
    progress(`starting the local pipeline in ${folder.root}`);
    await sleep(100);
  }
  endProgress();
  const newest = readFileSync(logFile).subarray(logStart).toString("utf8").trim().split("\n").slice(-5).join("\n");
  if (exited === undefined) child.kill();
  throw new Error(`the local pipeline in ${folder.root} did not start; its log ${logFile} ends with:\n${newest}`);
}

export const stop: Command = {
  summary: "stop the local pipeline and its background producer",
  examples: ["stop", "stop --dir /tmp/pizza"],
  usage: "stop",
  localOnly: {
    aws: (environment) => `make stop ENV=${environment} stops its schedules; landing continues so that nothing is lost`,
    localstack: "make stop-localstack stops it and discards all its data",
  },
  async run(values) {
    const { dir, json } = values;
    const folder = dataDirectory(dir);
    // The producer goes first, because it still sends its open batches to the pipeline.
    const producer = await endProducer(dir);
    if (producer !== undefined && !json) say(`stopped the producer, process ${producer}`);
    const running = runningProcess(folder);
    if (running === undefined) {
      const server = await stopOrphanedServer(folder);
      if (json) printJson({ stopped: false, ...(server !== undefined && { postgres: server }) });
      else say(`no local pipeline is running in ${folder.root}`);
      if (server !== undefined && !json) say(`stopped PostgreSQL, process ${server}, which a killed process had left`);
      return;
    }
    // A pipeline that does not answer is stopped by signal.
    await connectPipeline(folder)
      .stop()
      .catch(() => sendSignal(running.pid, "SIGTERM"));
    for (let waited = 0; isRunning(running.pid); waited++) {
      // Nothing is lost: the next start finds everything that the stream has acknowledged.
      if (waited === patience && !json) say(`process ${running.pid} has not exited after 30 s: killing it`);
      if (waited >= patience) sendSignal(running.pid, "SIGKILL");
      await sleep(100);
    }
    await stopOrphanedServer(folder);
    if (json) printJson({ stopped: true, process: running.pid });
    else say(`stopped process ${running.pid}; no data is lost, ./pizza start continues from here`);
  },
};

/** How long a stopping pipeline may take, in tenths of a second. */
const patience = 300;

function sendSignal(pid: number, name: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (errorCode(error) !== "ESRCH") throw error;
  }
}

/** Stops a PostgreSQL that a killed process left running; returns its process id, if there was one. */
async function stopOrphanedServer(folder: DataDirectory): Promise<number | undefined> {
  const data = join(folder.postgres, "data");
  const server = findServer(data);
  if (server === undefined) return undefined;
  const user = openedBy(folder);
  if (user !== undefined) {
    throw new Error(`process ${user} has the data directory ${folder.root} open: wait until that command has ended`);
  }
  await stopServer(data, server.pid);
  return server.pid;
}

export const restart: Command = {
  summary: "stop and start the local pipeline, optionally with new options",
  localOnly: {
    aws: (environment) => `there is no process to restart; make deploy ENV=${environment} deploys the newest code`,
    localstack:
      "make deploy ENV=localstack deploys the newest code; run make stop-localstack first to start over without data",
  },
  examples: ["restart", "restart --shards 4"],
  usage: "restart [--shards N] [--port N] [--postgres-port N] [--changed-catalog]",
  options: startOptions,
  async run(values, words) {
    const wanted = readStartOptions(values);
    const { port } = runningProcess(dataDirectory(values.dir)) ?? {};
    // Checked before stopping, so that a pipeline that could not start again keeps running.
    await rejectUsedPorts(values.dir, { ...wanted, port: wanted.port === port ? undefined : wanted.port });
    const folder = dataDirectory(values.dir);
    if (values["changed-catalog"] !== true && readPipelineRecord(folder) !== undefined) {
      const { rejectChangedCatalog } = await import("../../targets/local/used-catalog.ts");
      await rejectChangedCatalog(folder, { menu: readMenu(), stores: readStores() });
    }
    await stop.run({ ...values, json: false }, words);
    return await start.run(values, words);
  },
};

export const clean: Command = {
  summary: "stop the local pipeline and delete its data directory",
  examples: ["clean", "clean --yes --dir /tmp/pizza"],
  usage: "clean [--yes]",
  localOnly: {
    aws: (environment) => `deleting the data of ${environment} takes two steps, see docs/deploy.md`,
    localstack:
      "make stop-localstack discards all its data; node_modules/.bin/node bin/localstack.ts clean also removes its installation",
  },
  options: { yes: { type: "boolean", about: "do not ask for confirmation" } },
  async run(values, words) {
    const folder = dataDirectory(values.dir);
    if (!existsSync(folder.root)) {
      if (values.json) printJson({ removed: false });
      else say(`${folder.root} does not exist: nothing to remove`);
      return 0;
    }
    rejectLostRecord(folder);
    if (readPipelineRecord(folder) === undefined)
      throw new Error(`${folder.root} is not a data directory of a local pipeline: remove it by hand`);
    if (values["yes"] !== true && !(await isConfirmed(folder.root))) return 1;
    await stop.run({ ...values, json: false }, words);
    const left = removeDataDirectory(folder);
    if (values.json) printJson({ removed: true, left });
    else if (left.length === 0) say(`removed ${folder.root}`);
    else say(`removed the local pipeline in ${folder.root}; kept files it did not create: ${left.join(", ")}`);
    return 0;
  },
};

async function isConfirmed(root: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new UsageError("clean deletes all data: add --yes to confirm");
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`remove ${root} and all orders in it? [y/N] `);
  terminal.close();
  return answer.trim().toLowerCase().startsWith("y");
}
