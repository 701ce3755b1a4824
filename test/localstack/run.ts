#!/usr/bin/env node
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { say } from "../../bin/output.ts";
import { deploy } from "../../localstack/deploy.ts";
import { findPython } from "../../localstack/find-python.ts";
import { install } from "../../localstack/install.ts";
import { makeFolders } from "../../localstack/data-folder.ts";
import { localStackDirectory, projectRoot, readRunning } from "../../targets/localstack-directory.ts";
import { start } from "../../localstack/start.ts";
import { stop } from "../../localstack/stop.ts";
import { watch } from "./left-behind.ts";
import { remembered } from "./remembered.ts";

/** Runs the tests that need LocalStack, or prints why they cannot run here: `node test/localstack/run.ts`. */
const directory = localStackDirectory();
/** vitest stores a file there. */
const { HOME } = process.env;

async function reasonToSkip(): Promise<string | undefined> {
  try {
    makeFolders(directory);
    const { program } = await findPython();
    const probe = ["-m", "pip", "download", "--quiet", "--no-cache-dir", "--no-deps", "--dest", directory.temporary];
    return spawnSync(program, [...probe, "flit-core==3.12.0"]).status === 0 ? undefined : "PyPI cannot be reached";
  } catch (error) {
    return (error as Error).message;
  }
}

async function test(): Promise<boolean> {
  if (readRunning(directory)) throw new Error("LocalStack runs here already: make stop-localstack, then test again");
  await install(directory, say);
  if (!testExecutor()) return false;
  const watched = watch(directory);
  try {
    const passed = (await testDeployed()) && (await testForgotten());
    const left = watched.leftBehind();
    if (left.length > 0) say(`LocalStack left behind after its stop:\n${left.join("\n")}`);
    return passed && left.length === 0;
  } finally {
    watched.end();
  }
}

function testExecutor(): boolean {
  const executor = join(projectRoot, "localstack", "executor");
  const environment = { ...process.env, LAMBDA_NODE: process.execPath, PYTHONDONTWRITEBYTECODE: "1" };
  return succeeds(directory.python, ["-m", "unittest", "discover", "-t", ".", "-s", "tests"], executor, environment);
}

/** The tests of the emulator, and the scenarios on a newly deployed pipeline. */
async function testDeployed(): Promise<boolean> {
  const running = await start(directory, { port: 4566, say });
  try {
    const { seconds } = await deploy(directory, {
      target: { ...running, functionsDatabaseUrl: running.databaseUrl },
      say,
    });
    say(`deployed in ${seconds} s`);
    const vitest = join(projectRoot, "node_modules", "vitest", "vitest.mjs");
    const tests = ["test/localstack", "test/e2e/scenarios.test.ts"];
    const variables = { ...process.env, HOME, PIZZA_TEST_LOCALSTACK: running.endpoint };
    return succeeds(process.execPath, [vitest, "run", ...tests], projectRoot, variables);
  } finally {
    await stop(directory);
  }
}

/** Unlike AWS, LocalStack loses deployed resources at a stop: this fails once it keeps them. */
async function testForgotten(): Promise<boolean> {
  const running = await start(directory, { port: 4566, say });
  try {
    const kept = await remembered(running);
    if (kept.length > 0) say(`LocalStack remembers after its stop:\n${kept.join("\n")}`);
    return kept.length === 0;
  } finally {
    await stop(directory);
  }
}

function succeeds(program: string, args: string[], cwd: string, env: NodeJS.ProcessEnv): boolean {
  return spawnSync(program, args, { cwd, env, stdio: "inherit" }).status === 0;
}

const reason = await reasonToSkip();
if (reason !== undefined) say(`LocalStack tests skipped: ${reason}`);
else if (!(await test())) process.exitCode = 1;
