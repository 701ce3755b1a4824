import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { isRunning, processStart } from "../local/process-state.ts";
import type { LocalStackHome } from "./paths.ts";

/** Where a pipeline is to be found. */
export interface Place {
  /** Where the AWS services answer, such as `http://127.0.0.1:4566`. */
  endpoint: string;
  /** The warehouse, as its owner, from this machine. */
  databaseUrl: string;
}

/** A LocalStack that runs, as `state.json` tells; readable by its owner only. */
export interface RunningLocalStack extends Place {
  /** The process that keeps LocalStack and PostgreSQL. */
  pid: number;
  started?: string | undefined;
  startedAt: string;
  /** Somebody else started LocalStack: the process keeps PostgreSQL beside it. */
  isOthers?: true;
}

/** The LocalStack that runs in this home; undefined where none does. */
export function readRunning({ state }: LocalStackHome): RunningLocalStack | undefined {
  if (!existsSync(state)) return undefined;
  const known = JSON.parse(readFileSync(state, "utf8")) as RunningLocalStack;
  return isRunning(known.pid, known.started) ? known : undefined;
}

/** Tells others that this process keeps a LocalStack that is ready. */
export function writeRunning({ state }: LocalStackHome, where: Place & Pick<RunningLocalStack, "isOthers">): void {
  const { pid } = process;
  const running: RunningLocalStack = { pid, started: processStart(pid), startedAt: new Date().toISOString(), ...where };
  writePrivately(state, running);
}

/** Takes it back. */
export function removeRunning({ state }: LocalStackHome): void {
  rmSync(state, { force: true });
}

/** Remembers for the command line where a deployment went. */
export function rememberDeployed({ deployed }: LocalStackHome, { endpoint, databaseUrl }: Place): void {
  writePrivately(deployed, { endpoint, databaseUrl });
}

export function forgetDeployed({ deployed }: LocalStackHome): void {
  rmSync(deployed, { force: true });
}

/** Where the pipeline of this home is: at the LocalStack that runs in it, else where it was deployed to last. */
export function findPlace(home: LocalStackHome): Place | undefined {
  const running = readRunning(home);
  if (running || !existsSync(home.deployed)) return running;
  return JSON.parse(readFileSync(home.deployed, "utf8")) as Place;
}

/** Addresses hold passwords. */
function writePrivately(path: string, value: unknown): void {
  writeFileSync(`${path}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
