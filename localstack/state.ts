import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { isRunning, processStart } from "../local/process-state.ts";
import type { LocalStackHome } from "./paths.ts";

/** A LocalStack that runs, as `state.json` tells; readable by its owner only. */
export interface RunningLocalStack {
  /** The process that keeps LocalStack and PostgreSQL. */
  pid: number;
  started?: string | undefined;
  startedAt: string;
  /** Where the AWS services answer, such as `http://127.0.0.1:4566`. */
  endpoint: string;
  /** The warehouse, as its owner. */
  databaseUrl: string;
}

/** The LocalStack that runs in this home; undefined where none does. */
export function readRunning({ state }: LocalStackHome): RunningLocalStack | undefined {
  if (!existsSync(state)) return undefined;
  const known = JSON.parse(readFileSync(state, "utf8")) as RunningLocalStack;
  return isRunning(known.pid, known.started) ? known : undefined;
}

/** Tells others that this process keeps a LocalStack that is ready. */
export function writeRunning({ state }: LocalStackHome, where: { endpoint: string; databaseUrl: string }): void {
  const { pid } = process;
  const running: RunningLocalStack = { pid, started: processStart(pid), startedAt: new Date().toISOString(), ...where };
  writeFileSync(`${state}.new`, `${JSON.stringify(running, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${state}.new`, state);
}

/** Takes it back. */
export function removeRunning({ state }: LocalStackHome): void {
  rmSync(state, { force: true });
}
