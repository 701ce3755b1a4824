import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { kinesisPackage, projectRoot, type LocalStackDirectory } from "../targets/localstack-directory.ts";
import { makeFolders } from "./data-folder.ts";
import { findPython } from "./find-python.ts";

const exec = promisify(execFile);
const requirements = join(projectRoot, "localstack", "requirements.txt");
const executor = join(projectRoot, "localstack", "executor");

/**
 * Installs LocalStack into a virtual environment, with the packages of `requirements.txt`, the plugin in `executor/`
 * and kinesis-local. Skips what is installed already; the first time needs PyPI and npm.
 */
export async function install(directory: LocalStackDirectory, say: (line: string) => void): Promise<void> {
  makeFolders(directory);
  const done = marker(directory, "requirements", [requirements]);
  if (!done.isCurrent()) {
    const { program, version } = await findPython();
    say(`installing LocalStack for Python ${version} in ${directory.venv}: takes one or two minutes, only once`);
    rmSync(directory.venv, { recursive: true, force: true });
    await run(program, ["-m", "venv", directory.venv], directory);
    await pip(directory, ["-r", requirements]);
    done.write();
  }
  await installExecutor(directory);
  if (!existsSync(directory.kinesis)) {
    say(`installing ${kinesisPackage}`);
    const cache = join(directory.temporary, "npm");
    const options = ["--prefix", directory.kinesis, "--cache", cache, "--ignore-scripts", "--no-audit", "--no-fund"];
    await run("npm", ["install", ...options, kinesisPackage], directory);
  }
}

async function installExecutor(directory: LocalStackDirectory): Promise<void> {
  const folder = join(executor, "host_mode");
  const sources = readdirSync(folder).filter((name) => /\.(py|mjs)$/.test(name));
  const done = marker(directory, "executor", [
    join(executor, "pyproject.toml"),
    ...sources.map((name) => join(folder, name)),
  ]);
  if (done.isCurrent()) return;
  await pip(directory, ["--no-deps", "--no-build-isolation", "--force-reinstall", executor]);
  done.write();
}

/** Records in the virtual environment what is installed, as a hash of the files that specify it. */
function marker({ venv }: LocalStackDirectory, name: string, files: string[]) {
  const path = join(venv, `installed-${name}`);
  const hash = createHash("sha256");
  for (const file of files) hash.update(readFileSync(file));
  const wanted = hash.digest("hex");
  return {
    isCurrent: () => existsSync(path) && readFileSync(path, "utf8") === wanted,
    write: () => writeFileSync(path, wanted),
  };
}

async function pip(directory: LocalStackDirectory, args: string[]): Promise<void> {
  const quiet = ["--quiet", "--disable-pip-version-check", "--no-input", "--no-compile", "--no-cache-dir"];
  await run(directory.python, ["-m", "pip", "install", ...quiet, ...args], directory);
}

async function run(program: string, args: string[], { root, temporary }: LocalStackDirectory): Promise<void> {
  try {
    await exec(program, args, { cwd: root, env: { ...process.env, TMPDIR: temporary }, maxBuffer: 64 * 1024 * 1024 });
  } catch (cause) {
    const { stderr = "", message } = cause as Error & { stderr?: string };
    const lines = (stderr.trim() || message).split("\n").slice(-5).join("\n");
    throw new Error(`${program} ${args.join(" ")} failed: fix the problem below and start again\n${lines}`, { cause });
  }
}
