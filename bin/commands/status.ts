import { fork } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connectPipeline, NoAnswer } from "../../targets/local/control-client.ts";
import {
  dataDirectory,
  heartbeatFile,
  readPipelineRecord,
  requireDataDirectory,
  runningProcess,
  type DataDirectory,
} from "../../targets/local/data-directory.ts";
import { statusSeconds, type PipelineProcess, type PipelineStatus } from "../../targets/pipeline-api.ts";
import { checkCode, problemsOf } from "../../targets/problems.ts";
import { numberOption, type Command, type Values } from "../options.ts";
import { print, printJson } from "../output.ts";
import type { StatusMessage } from "../read-status.ts";
import { statusText } from "../status-text.ts";
import { withDeployedPipeline } from "../with-target.ts";

export const status: Command = {
  summary: "show what is wrong, the state of the stream, the layers and the workflows, and the freshness of gold",
  examples: ["status", "status --check --timeout 10"],
  usage: "status [--check] [--timeout SECONDS] [--json]",
  options: {
    check: { type: "boolean", about: "exit with a code for monitors: 0 well, 3 to 6 if something is wrong" },
    timeout: { type: "string", about: `answer within this many seconds, whatever hangs (default: ${statusSeconds})` },
  },
  async run(values) {
    const seconds = numberOption(values, "timeout", { min: 1, max: 600 }) ?? statusSeconds;
    const found =
      values.target === "local" ? await localStatus(values, seconds) : await deployedStatus(values, seconds);
    const problems = problemsOf(found);
    if (values.json) printJson({ ...found, problems });
    else print(statusText(found, problems));
    return values["check"] === true ? checkCode(problems) : 0;
  },
};

/** The status of the local pipeline, from whatever there is of it: a process, an open folder, or only its files. */
async function localStatus({ dir }: Values, seconds: number): Promise<PipelineStatus> {
  const folder = dataDirectory(dir);
  const running = runningProcess(folder);
  if (running !== undefined) return await askProcess(folder, running, seconds);
  requireDataDirectory(folder);
  const killed = readPipelineRecord(folder)?.process;
  const found = await readInProcess(folder, seconds);
  return killed === undefined ? found : { ...found, process: processOf(folder, killed, "killed") };
}

type RecordedProcess = NonNullable<ReturnType<typeof runningProcess>>;

async function askProcess(folder: DataDirectory, running: RecordedProcess, seconds: number): Promise<PipelineStatus> {
  const asked = connectPipeline(folder).status({ seconds }, AbortSignal.timeout(seconds * 840));
  const found = await asked.catch((error: Error) => {
    if (!(error instanceof NoAnswer)) throw error;
    return undefined;
  });
  if (found !== undefined) return { ...found, process: processOf(folder, running, "running") };
  const process = processOf(folder, running, "hung");
  const since = process.lastSeenAt ?? new Date(Date.now() - seconds * 840).toISOString();
  const why = isStopped(running.pid) ? { error: "a signal such as SIGSTOP has stopped it" } : {};
  return { ...unknownStatus(folder), process, notAnswering: [{ part: `process ${running.pid}`, since, ...why }] };
}

/** Reads the status of a pipeline that does not run in a process that can be ended whatever it waits for. */
async function readInProcess(folder: DataDirectory, seconds: number): Promise<PipelineStatus> {
  const script = new URL("../read-status.ts", import.meta.url);
  const child = fork(script, [folder.root, String(seconds)], {
    execArgv: [],
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const message = new Promise<StatusMessage>((resolve) => child.once("message", resolve as (message: unknown) => void));
  const nothing: StatusMessage = { error: "the process that should read the status has ended without a word" };
  const overdue = sleep(seconds * 880, undefined, { ref: false });
  try {
    const answer = await Promise.race([message, exited.then(() => nothing), overdue]);
    // What the child opened it also closes, unless that hangs.
    await Promise.race([exited, overdue]);
    if (answer === undefined) {
      const since = new Date(Date.now() - seconds * 880).toISOString();
      return { ...unknownStatus(folder), notAnswering: [{ part: "the data directory", since }] };
    }
    if ("error" in answer) throw new Error(answer.error);
    return answer.status;
  } finally {
    child.kill("SIGKILL");
  }
}

/** A status of which nothing is known yet. */
function unknownStatus(folder: DataDirectory): PipelineStatus {
  return { ...nothingKnown(), dir: folder.root };
}

function nothingKnown(): PipelineStatus {
  return {
    at: new Date().toISOString(),
    notAnswering: [],
    stream: null,
    landing: null,
    setAside: null,
    silver: null,
    quarantine: null,
    gold: null,
    freshness: null,
    receipt: null,
    quality: null,
    workflows: [],
    postgres: null,
  };
}

function processOf(
  folder: DataDirectory,
  { pid, port, startedAt }: RecordedProcess,
  state: PipelineProcess["state"],
): PipelineProcess {
  const seen = statSync(heartbeatFile(folder), { throwIfNoEntry: false })?.mtime.toISOString();
  return { pid, port, startedAt, state, ...(seen !== undefined && { lastSeenAt: seen }) };
}

/** Whether a signal has stopped a process; false where /proc is missing. */
function isStopped(pid: number): boolean {
  try {
    const text = readFileSync(join("/proc", String(pid), "stat"), "utf8");
    return text.slice(text.lastIndexOf(")") + 2).startsWith("T");
  } catch {
    return false;
  }
}

/** The status of a deployed pipeline; nothing of it is known if AWS itself does not answer. */
async function deployedStatus(values: Values, seconds: number): Promise<PipelineStatus> {
  const asked = withDeployedPipeline(values, (pipeline) => pipeline.status({ seconds }));
  const found = await Promise.race([asked, sleep(seconds * 880, undefined, { ref: false })]);
  if (found !== undefined) return found;
  const since = new Date(Date.now() - seconds * 880).toISOString();
  const part = process.env["AWS_ENDPOINT_URL"] ?? "AWS";
  return {
    ...nothingKnown(),
    deployment: { environment: values.env, region: process.env["AWS_REGION"] ?? "", stream: "", landing: "unknown" },
    notAnswering: [{ part, since }],
  };
}
