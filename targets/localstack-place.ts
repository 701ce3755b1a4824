import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { isRunning, processStart } from "./local/machine.ts";

/** Where a pipeline is to be found. */
export interface LocalStackAddress {
  /** Where the AWS services answer, such as `http://127.0.0.1:4566`. */
  endpoint: string;
  /** The warehouse, as its owner, from this machine. */
  databaseUrl: string;
}

/** A LocalStack that runs, as `state.json` tells; readable by its owner only. */
export interface RunningLocalStack extends LocalStackAddress {
  /** The process that keeps LocalStack and PostgreSQL. */
  pid: number;
  started?: string | undefined;
  startedAt: string;
  /** Somebody else started LocalStack: the process keeps PostgreSQL beside it. */
  isOthers?: true;
}

/** The LocalStack that runs in this home; undefined where none does. */
export function readRunning({ state }: LocalStackDirectory): RunningLocalStack | undefined {
  if (!existsSync(state)) return undefined;
  const known = JSON.parse(readFileSync(state, "utf8")) as RunningLocalStack;
  return isRunning(known.pid, known.started) ? known : undefined;
}

/** Tells others that this process keeps a LocalStack that is ready. */
export function writeRunning(
  { state }: LocalStackDirectory,
  where: LocalStackAddress & Pick<RunningLocalStack, "isOthers">,
): void {
  const { pid } = process;
  const running: RunningLocalStack = { pid, started: processStart(pid), startedAt: new Date().toISOString(), ...where };
  writePrivately(state, running);
}

/** Takes it back. */
export function removeRunning({ state }: LocalStackDirectory): void {
  rmSync(state, { force: true });
}

/** Remembers for the command line where a deployment went. */
export function rememberDeployed(
  { deployed }: LocalStackDirectory,
  { endpoint, databaseUrl }: LocalStackAddress,
): void {
  writePrivately(deployed, { endpoint, databaseUrl });
}

export function forgetDeployed({ deployed }: LocalStackDirectory): void {
  rmSync(deployed, { force: true });
}

/** Where the pipeline of this home is: at the LocalStack that runs in it, else where it was deployed to last. */
export function findAddress(directory: LocalStackDirectory): LocalStackAddress | undefined {
  const running = readRunning(directory);
  if (running || !existsSync(directory.deployed)) return running;
  return JSON.parse(readFileSync(directory.deployed, "utf8")) as LocalStackAddress;
}

/** Addresses hold passwords. */
function writePrivately(path: string, value: unknown): void {
  writeFileSync(`${path}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** The project's own folder. */
export const projectRoot = fileURLToPath(new URL("../", import.meta.url));

/** Where a LocalStack home keeps what. Nothing of it lies elsewhere. */
export interface LocalStackDirectory {
  root: string;
  /** Python's virtual environment, which outlives a stop. */
  venv: string;
  python: string;
  /** What LocalStack installs and caches, which outlives a stop. */
  files: string;
  kinesis: string;
  /** What a run leaves behind, gone with the stop. */
  temporary: string;
  postgres: string;
  logs: string;
  state: string;
  /** What was deployed to last where LocalStack is not our own. */
  deployed: string;
  /** Held by the process that starts or stops this home. */
  lock: string;
  /** Says that the folder is ours, so that what lies in it may be removed. */
  marker: string;
}

const kinesisVersion = "0.5.2";

/** The paths below a home's root, `.localstack/` in the project by default. */
export function localStackDirectory(dir = join(projectRoot, ".localstack")): LocalStackDirectory {
  const root = resolve(dir);
  const files = join(root, "files");
  return {
    root,
    venv: join(root, "venv"),
    python: join(root, "venv", "bin", "python"),
    files,
    // Where LocalStack looks before it installs the package itself.
    kinesis: join(files, "var/lib/localstack/lib/kinesis-local", kinesisVersion),
    temporary: join(root, "tmp"),
    postgres: join(root, "postgres"),
    logs: join(root, "logs"),
    state: join(root, "state.json"),
    deployed: join(root, "deployed.json"),
    lock: join(root, "lock"),
    marker: join(root, ".pizza-localstack"),
  };
}

/** The npm package that LocalStack's Kinesis is, in the version that it asks for. */
export const kinesisPackage = `kinesis-local@${kinesisVersion}`;
