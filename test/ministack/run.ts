#!/usr/bin/env node
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { say } from "../../bin/output.ts";
import { deploy } from "../../localstack/deploy.ts";
import { clientEnvironment } from "../../localstack/environment.ts";
import { localStackDirectory, projectRoot } from "../../targets/localstack-directory.ts";
import { installMiniStack, startMiniStack, type RunningMiniStack } from "./server.ts";

/** Deploys the app to MiniStack and runs the tests on it, or prints why it cannot: `node test/ministack/run.ts`. */
async function test({ endpoint, databaseUrl, folder }: RunningMiniStack): Promise<number> {
  const { seconds } = await deploy(localStackDirectory(join(folder, "home")), {
    target: { endpoint, databaseUrl, functionsDatabaseUrl: databaseUrl },
    say,
  });
  say(`deployed in ${seconds} s`);
  const vitest = join(projectRoot, "node_modules", "vitest", "vitest.mjs");
  const env = {
    ...process.env,
    ...clientEnvironment(endpoint),
    PIZZA_TEST_MINISTACK: endpoint,
    // The tests' helper for small stacks reads this variable.
    PIZZA_TEST_LOCALSTACK: endpoint,
  };
  const tests = [vitest, "run", "test/ministack"];
  return spawnSync(process.execPath, tests, { cwd: projectRoot, env, stdio: "inherit" }).status ?? 1;
}

async function program(): Promise<string | undefined> {
  try {
    return await installMiniStack(say);
  } catch (error) {
    say(`MiniStack tests skipped: ${(error as Error).message}`);
    return undefined;
  }
}

const installed = await program();
if (installed !== undefined) {
  const running = await startMiniStack(installed);
  try {
    process.exitCode = await test(running);
  } finally {
    await running.stop();
  }
}
