#!/usr/bin/env node
import { parseArgs } from "node:util";
import { checkFolder, removeFolder } from "../localstack/data-folder.ts";
import { deploy } from "../localstack/deploy.ts";
import { checkLoopback } from "../localstack/health.ts";
import { resolveTarget } from "../localstack/resolve-target.ts";
import { keepSchedules } from "../localstack/schedules.ts";
import { start } from "../localstack/start.ts";
import { stop } from "../localstack/stop.ts";
import {
  localStackDirectory,
  readRunning,
  type LocalStackDirectory,
  type RunningLocalStack,
} from "../targets/localstack-directory.ts";
import type { Demo } from "./localstack-demo.ts";
import { print, printJson, say, UsageError } from "./output.ts";
import { receiptTable } from "./receipt-table.ts";

/** Runs LocalStack without Docker. */
const usage =
  "usage: node bin/localstack.ts start|stop|status|deploy|demo|schedule|clean [--json] [--dir DIR] [--port N]";

/** A command's output as text and as JSON, and its exit code (default 0). */
type CommandResult = [text: string, json: Record<string, unknown>, code?: number];

const commands: Record<string, (directory: LocalStackDirectory, port: number) => Promise<CommandResult>> = {
  async start(directory, port) {
    const running = await start(directory, { port, say });
    const { wasRunning, pid, endpoint, databaseUrl } = running;
    const text = wasRunning ? `${runningText(running)}, already started, process ${pid}` : runningText(running);
    return [text, { started: !wasRunning, process: pid, endpoint, databaseUrl }];
  },
  async stop(directory) {
    const stopped = await stop(directory, say);
    return [stopped ? "LocalStack is stopped; its data is discarded" : "LocalStack is not running", { stopped }];
  },
  async status(directory) {
    const running = readRunning(directory);
    const text = running ? `${runningText(running)}, since ${running.startedAt}` : "LocalStack is not running";
    return [text, { running: running !== undefined, ...running }];
  },
  async deploy(directory, port) {
    const deployed = await deploy(directory, { target: await resolveTarget(directory, { port, say }), say });
    return [`deployed to ${deployed.endpoint}: ./pizza --target localstack status`, { ...deployed }];
  },
  async demo(directory, port) {
    // Imported on demand: it loads PostgreSQL, DuckDB and the rest of the local pipeline.
    const { demo } = await import("./localstack-demo.ts");
    const { receipt, gold, differing, seconds } = await demo(directory, { port, say });
    const balanced = receipt.findings.length === 0;
    const equality =
      differing.length === 0
        ? `GOLD EQUALS the local pipeline's: ${Object.keys(gold.tables).length} tables, hash ${gold.hash}`
        : `GOLD DIFFERS from the local pipeline's in ${differing.join(", ")}`;
    const text = [receiptTable(receipt), equality, "", demoClosing(seconds)].join("\n");
    return [
      text,
      { balanced, equal: differing.length === 0, differing, gold, seconds, receipt },
      balanced && differing.length === 0 ? 0 : 3,
    ];
  },
  async schedule(directory) {
    if (readRunning(directory)) return ["LocalStack was started here and already runs the schedules", { kept: true }];
    const endpoint = process.env["AWS_ENDPOINT_URL"] ?? "http://127.0.0.1:4566";
    checkLoopback(endpoint);
    say(`running the schedules of ${endpoint}; Ctrl-C ends it`);
    const schedules = keepSchedules({ endpoint, log: say });
    await new Promise((resolve) => process.once("SIGINT", resolve).once("SIGTERM", resolve));
    await schedules.stop();
    return ["the schedules are stopped", { kept: false }];
  },
  async clean(directory) {
    await stop(directory, say);
    const others = removeFolder(directory);
    const text =
      others.length === 0
        ? `removed ${directory.root}`
        : `removed LocalStack from ${directory.root}; kept files it did not create: ${others.join(", ")}`;
    return [text, { removed: directory.root, left: others }];
  },
};

function runningText({ endpoint, isOthers }: RunningLocalStack): string {
  return isOthers
    ? `PostgreSQL is running for the external LocalStack at ${endpoint}`
    : `LocalStack is running at ${endpoint}`;
}

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
    throw new UsageError(`--port ${values.port}: give a port from 1 to 65535\n${usage}`);
  const directory = localStackDirectory(values.dir);
  checkFolder(directory);
  const [text, json, code = 0] = await command(directory, port);
  if (values.json) printJson(json);
  else print(text);
  process.exitCode = code;
}

function demoClosing({ start: started, deploy: deployed, ordersToGold }: Demo["seconds"]): string {
  return [
    `LocalStack started in ${started} s, both stacks deployed in ${deployed} s, the week reached gold in ${ordersToGold} s.`,
    "It keeps running; try:",
    "  ./pizza --target localstack status",
    "  ./pizza --target localstack produce --rate 20 --orders 200     (gold is updated in a minute or two)",
    "  make stop-localstack                                           (discards all data)",
  ].join("\n");
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  say(`localstack: ${(error as Error).message}`);
  const isUsage = error instanceof UsageError || (error as { code?: string }).code?.startsWith("ERR_PARSE_ARGS");
  process.exitCode = isUsage ? 2 : 1;
}
