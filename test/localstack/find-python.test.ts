import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { findPython } from "../../localstack/find-python.ts";

const folder = mkdtempSync(join(tmpdir(), "pizza-python-"));
afterAll(() => rmSync(folder, { recursive: true }));

function pretendPython(name: string, script: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

test.each(["3.12.1", "3.13.7"])("Python %s is accepted", async (version) => {
  const program = pretendPython(`python-${version}`, `echo ${version}`);
  expect(await findPython(program)).toEqual({ program, version });
});

test.each(["3.11.9", "3.14.0", "2.7.18"])(
  "Python %s is rejected for its version, with what to install",
  async (version) => {
    const program = pretendPython(`python-${version}`, `echo ${version}`);
    await expect(findPython(program)).rejects.toThrow(
      `Python 3.13 or 3.12 is needed to run LocalStack (${program} is ${version}): install one`,
    );
  },
);

test("a Python without virtual environments is rejected", async () => {
  const program = pretendPython("python-bare", "echo No module named ensurepip >&2; exit 1");
  await expect(findPython(program)).rejects.toThrow(
    `(PYTHON ${program} is not a Python with the module venv): install one (Debian: python3 and python3-venv`,
  );
});

test("the error about a missing PYTHON names it", async () => {
  await expect(findPython("/no/such/python")).rejects.toThrow("(PYTHON /no/such/python is not a Python with");
});
