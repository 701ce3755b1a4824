import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { belongsTo, endOrphans, serveScript } from "../../localstack/orphan-processes.ts";
import { localStackDirectory } from "../../targets/localstack-directory.ts";

const root = mkdtempSync(join(tmpdir(), "pizza left over "));
afterAll(() => rmSync(root, { recursive: true }));

test("a process of a data folder with a space in its path is killed; one of another folder is not", async () => {
  const pipelines = [localStackDirectory(join(root, "home")), localStackDirectory(join(root, "home too"))];
  const children = pipelines.map(({ python }) => {
    mkdirSync(dirname(python), { recursive: true });
    // A shell with Python's arguments: the script has the module's name.
    symlinkSync("/bin/bash", python);
    writeFileSync(join(dirname(python), "localstack.runtime.main"), "echo here; while :; do sleep 0.2; done");
    return spawn(python, ["-m", "localstack.runtime.main"], { cwd: dirname(python) });
  });
  const exits = children.map((child) => once(child, "exit"));
  try {
    for (const child of children) await once(child.stdout, "data");
    expect(await endOrphans(pipelines[0]!)).toBe(1);
    expect(await exits[0]).toEqual([null, "SIGKILL"]);
    expect(children[1]!.exitCode ?? children[1]!.signalCode).toBeNull();
  } finally {
    for (const child of children) child.kill("SIGKILL");
  }
});

test.each([
  ["PYTHON -m localstack.runtime.main", true],
  ["PYTHON -m pip install", false],
  ["/with space/node/bin/node SERVE ROOT 4566", true],
  ["/with space/node/bin/node SERVE ROOT too 4566", false],
  ["/usr/bin/node --max-old-space-size=128 VENV/lib/host_mode/bootstrap.mjs", true],
  ["node KINESIS/node_modules/kinesis-local/main.js", true],
  ["grep VENV/lib", false],
  ["node /elsewhere/VENV/lib/x.js", false],
])("the command %s belongs to the data folder: %s", (template, belongs) => {
  const directory = localStackDirectory("/a b/.localstack");
  const words = {
    PYTHON: directory.python,
    SERVE: serveScript,
    ROOT: directory.root,
    VENV: directory.venv,
    KINESIS: directory.kinesis,
  };
  const command = Object.entries(words).reduce((text, [name, path]) => text.replace(name, path), template);
  expect(belongsTo(directory, command)).toBe(belongs);
});
