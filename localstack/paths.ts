import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's own folder. */
export const projectRoot = fileURLToPath(new URL("../", import.meta.url));

/** Where a LocalStack home keeps what. Nothing of it lies elsewhere. */
export interface LocalStackHome {
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
export function localStackHome(dir = join(projectRoot, ".localstack")): LocalStackHome {
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
