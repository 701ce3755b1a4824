import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { isRunning, processStart } from "./local/machine.ts";

/** The project's root folder. */
export const projectRoot = fileURLToPath(new URL("../", import.meta.url));

const kinesisVersion = "0.5.2";

/** npm package of LocalStack's Kinesis, in the version that LocalStack requires. */
export const kinesisPackage = `kinesis-local@${kinesisVersion}`;

/** Address of a pipeline on LocalStack. */
export interface LocalStackAddress {
  /** AWS endpoint, such as `http://127.0.0.1:4566`. */
  endpoint: string;
  /** Connection string of the warehouse's owner, from this machine. */
  databaseUrl: string;
}

/** Content of `state.json`: a running LocalStack; readable by its owner only. */
export interface RunningLocalStack extends LocalStackAddress {
  /** The process that supervises LocalStack and PostgreSQL. */
  pid: number;
  started?: string | undefined;
  startedAt: string;
  /** LocalStack was not started by this project: the process supervises only PostgreSQL. */
  isOthers?: true;
}

/** Paths of LocalStack's data folder; all its files are below the root. */
export interface LocalStackDirectory {
  root: string;
  /** Python's virtual environment, kept across a stop. */
  venv: string;
  python: string;
  /** What LocalStack installs and caches, kept across a stop. */
  files: string;
  kinesis: string;
  /** Temporary files of a run, deleted by a stop. */
  temporary: string;
  postgres: string;
  logs: string;
  state: string;
  /** Address of the last deployment to a LocalStack that this project did not start. */
  deployed: string;
  /** Held by the process that starts or stops LocalStack here. */
  lock: string;
  /** Marks the folder as created by this project, so that its content may be deleted. */
  marker: string;
}

/** Paths below the data folder's root, by default `.localstack/` in the project. */
export function localStackDirectory(dir = join(projectRoot, ".localstack")): LocalStackDirectory {
  const root = resolve(dir);
  const files = join(root, "files");
  return {
    root,
    venv: join(root, "venv"),
    python: join(root, "venv", "bin", "python"),
    files,
    // LocalStack looks here before it installs the package itself.
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

/** The LocalStack running in this data folder; undefined if there is none. */
export function readRunning({ state }: LocalStackDirectory): RunningLocalStack | undefined {
  if (!existsSync(state)) return undefined;
  const known = readState<RunningLocalStack>(state, "pid");
  return isRunning(known.pid, known.started) ? known : undefined;
}

/** Publishes that this process supervises a LocalStack that is ready. */
export function writeRunning(
  { state }: LocalStackDirectory,
  where: LocalStackAddress & Pick<RunningLocalStack, "isOthers">,
): void {
  const { pid } = process;
  const running: RunningLocalStack = { pid, started: processStart(pid), startedAt: new Date().toISOString(), ...where };
  writePrivately(state, running);
}

/** Withdraws what `writeRunning` published. */
export function removeRunning({ state }: LocalStackDirectory): void {
  rmSync(state, { force: true });
}

/** Stores the address of a deployment for the command line. */
export function rememberDeployed(
  { deployed }: LocalStackDirectory,
  { endpoint, databaseUrl }: LocalStackAddress,
): void {
  writePrivately(deployed, { endpoint, databaseUrl });
}

export function forgetDeployed({ deployed }: LocalStackDirectory): void {
  rmSync(deployed, { force: true });
}

/** Address of the pipeline: that of the LocalStack running here, else that of the last deployment. */
export function findAddress(directory: LocalStackDirectory): LocalStackAddress | undefined {
  const running = readRunning(directory);
  if (running || !existsSync(directory.deployed)) return running;
  return readState<LocalStackAddress>(directory.deployed, "endpoint");
}

/** Reads a state file; throws with the name of the file if it is damaged, or lacks `key`. */
function readState<State extends object>(path: string, key: keyof State & string): State {
  try {
    const state: State = JSON.parse(readFileSync(path, "utf8"));
    if (Object.hasOwn(state, key)) return state;
  } catch (cause) {
    if (!(cause instanceof SyntaxError) && !(cause instanceof TypeError)) throw cause;
  }
  throw new Error(`${path} is damaged: remove it, then run make deploy ENV=localstack`);
}

/** Readable by the owner only, because addresses contain passwords. */
function writePrivately(path: string, value: unknown): void {
  writeFileSync(`${path}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
