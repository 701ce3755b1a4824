#!/usr/bin/env node
import { rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { print, printJson, say, UsageError } from "../bin/output.ts";
import { deploy } from "./deploy.ts";
import { localStackHome, type LocalStackHome } from "./paths.ts";
import { start } from "./start.ts";
import { readRunning } from "./state.ts";
import { stop } from "./stop.ts";

/** Runs LocalStack without Docker: `node localstack/control.ts <command> [--json] [--dir DIR] [--port N]`. */
const usage = "usage: node localstack/control.ts start|stop|status|deploy|clean [--json] [--dir DIR] [--port N]";

type Answer = Record<string, unknown>;

const commands: Record<string, (home: LocalStackHome, port: number) => Promise<[text: string, answer: Answer]>> = {
  async start(home, port) {
    const { wasRunning, pid, endpoint, databaseUrl } = await start(home, { port, say });
    const text = wasRunning
      ? `LocalStack already runs at ${endpoint}, in process ${pid}`
      : `LocalStack runs at ${endpoint}`;
    return [text, { started: !wasRunning, process: pid, endpoint, databaseUrl }];
  },
  async stop(home) {
    const stopped = await stop(home);
    return [stopped ? "LocalStack is stopped; what it held is gone" : "LocalStack does not run", { stopped }];
  },
  async status(home) {
    const running = readRunning(home);
    const text = running
      ? `LocalStack runs at ${running.endpoint}, since ${running.startedAt}`
      : "LocalStack does not run";
    return [text, { running: running !== undefined, ...running }];
  },
  async deploy(home) {
    const deployed = await deploy(home, { running: readRunning(home), say });
    return [`deployed to ${deployed.endpoint}: pizza --home localstack status`, { ...deployed }];
  },
  async clean(home) {
    await stop(home);
    rmSync(home.root, { recursive: true, force: true });
    return [`${home.root} is removed`, { removed: home.root }];
  },
};

async function main(args: string[]): Promise<void> {
  const options = {
    json: { type: "boolean" },
    dir: { type: "string" },
    port: { type: "string", default: "4566" },
  } as const;
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  const [name = ""] = positionals;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  const port = Number(values.port);
  if (!command || positionals.length > 1) throw new UsageError(usage);
  if (!(Number.isInteger(port) && port > 0 && port < 65_536))
    throw new UsageError(`--port ${values.port}: give a port\n${usage}`);
  const [text, answer] = await command(localStackHome(values.dir), port);
  if (values.json) printJson(answer);
  else print(text);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  say(`localstack: ${(error as Error).message}`);
  const isUsage = error instanceof UsageError || (error as { code?: string }).code?.startsWith("ERR_PARSE_ARGS");
  process.exitCode = isUsage ? 2 : 1;
}
