#!/usr/bin/env node
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { say } from "../bin/output.ts";
import { findPython } from "./find-python.ts";
import { install } from "./install.ts";
import { localStackHome, makeFolders, projectRoot } from "./paths.ts";
import { start } from "./start.ts";
import { stop } from "./stop.ts";

/** Runs the tests that need LocalStack, or says why they cannot run here: `node localstack/test.ts`. */
const home = localStackHome();

async function reasonToSkip(): Promise<string | undefined> {
  try {
    makeFolders(home);
    const { program } = await findPython();
    const probe = ["-m", "pip", "download", "--quiet", "--no-deps", "--dest", home.temporary, "flit-core==3.12.0"];
    return spawnSync(program, probe).status === 0 ? undefined : "PyPI cannot be reached";
  } catch (error) {
    return (error as Error).message;
  }
}

async function test(): Promise<boolean> {
  await install(home, say);
  const executor = join(projectRoot, "localstack", "executor");
  const environment = { ...process.env, LAMBDA_NODE: process.execPath, PYTHONDONTWRITEBYTECODE: "1" };
  if (!succeeds(home.python, ["-m", "unittest", "discover", "-t", ".", "-s", "tests"], executor, environment))
    return false;
  const { endpoint, wasRunning } = await start(home, { port: 4566, say });
  try {
    const vitest = join(projectRoot, "node_modules", "vitest", "vitest.mjs");
    const variables = { ...process.env, PIZZA_TEST_LOCALSTACK: endpoint };
    return succeeds(process.execPath, [vitest, "run", "test/localstack"], projectRoot, variables);
  } finally {
    if (!wasRunning) await stop(home);
  }
}

function succeeds(program: string, args: string[], cwd: string, env: NodeJS.ProcessEnv): boolean {
  return spawnSync(program, args, { cwd, env, stdio: "inherit" }).status === 0;
}

const reason = await reasonToSkip();
if (reason !== undefined) say(`LocalStack tests skipped: ${reason}`);
else if (!(await test())) process.exitCode = 1;
