import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const exec = promisify(execFile);

/** Minor versions of Python 3 that LocalStack's last open release supports with the pinned packages. */
const minorVersions = [13, 12];

/** A suitable Python. */
export interface Python {
  program: string;
  version: string;
}

/**
 * Finds a Python for LocalStack: the one in the variable PYTHON, else one on the PATH, else one of pyenv. Throws with
 * the versions found and what to install.
 */
export async function findPython(given = process.env["PYTHON"]): Promise<Python> {
  const seen: string[] = [];
  for (const program of given ? [given] : candidates()) {
    const version = await usableVersion(program);
    if (version === undefined) continue;
    seen.push(`${program} is ${version}`);
    if (minorVersions.some((minor) => version.startsWith(`3.${minor}.`))) return { program, version };
  }
  const none = given ? `PYTHON ${given} is not a Python with the module venv` : "found none with the module venv";
  const found = seen.length === 0 ? none : seen.join(", ");
  throw new Error(
    `Python 3.${minorVersions.join(" or 3.")} is needed to run LocalStack (${found}): install one (Debian: python3 and ` +
      `python3-venv), or set PYTHON to its path. The local pipeline needs no Python: make demo`,
  );
}

function candidates(): string[] {
  const named = [...minorVersions.map((minor) => `python3.${minor}`), "python3", "python"];
  const pyenv = join(process.env["PYENV_ROOT"] ?? join(homedir(), ".pyenv"), "versions");
  const installed = existsSync(pyenv) ? readdirSync(pyenv).filter((name) => /^3\.1[23]\.\d+$/.test(name)) : [];
  return [
    ...named,
    ...installed
      .toSorted()
      .toReversed()
      .map((name) => join(pyenv, name, "bin", "python")),
  ];
}

async function usableVersion(program: string): Promise<string | undefined> {
  try {
    const script = "import sys, venv, ensurepip; print('.'.join(map(str, sys.version_info[:3])))";
    const { stdout } = await exec(program, ["-c", script]);
    return stdout.trim();
  } catch {
    return undefined;
  }
}
