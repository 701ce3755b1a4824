#!/usr/bin/env node
import { inspect } from "node:util";
import { backup, restore } from "./commands/backup.ts";
import { corrections } from "./commands/corrections.ts";
import { cost } from "./commands/cost.ts";
import { demo } from "./commands/demo.ts";
import { doctor } from "./commands/doctor.ts";
import { explain } from "./commands/explain.ts";
import { forget } from "./commands/forget.ts";
import { credentials, query, run, verify } from "./commands/inspect.ts";
import { lineage } from "./commands/lineage.ts";
import { quality } from "./commands/quality.ts";
import { quarantine } from "./commands/quarantine.ts";
import { rebuild } from "./commands/rebuild.ts";
import { produce, replay } from "./commands/send.ts";
import { clean, restart, start, status, stop } from "./commands/service.ts";
import { retry } from "./commands/retry.ts";
import { logs } from "./commands/logs.ts";
import { trace } from "./commands/trace.ts";
import { commonOptions, readOptions, targetNames, type Command } from "./options.ts";
import { print, printJson, say, UsageError } from "./output.ts";

const commands: Record<string, Command> = {
  demo,
  start,
  stop,
  restart,
  status,
  logs,
  clean,
  produce,
  replay,
  run,
  verify,
  quality,
  query,
  lineage,
  quarantine,
  retry,
  trace,
  explain,
  corrections,
  forget,
  credentials,
  backup,
  restore,
  rebuild,
  doctor,
  cost,
};

async function main(given: string[]): Promise<number> {
  const [name, ...args] = commandFirst(given);
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    print(help());
    return name === undefined ? 2 : 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    throw new UsageError(`command ${name} is unknown\n\n${help()}`);
  }
  const { values, words } = readOptions(command, args);
  if (values["help"] === true) {
    print(commandHelp(command));
    return 0;
  }
  if (values.target !== "local" && command.localOnly !== undefined) {
    const { aws, localstack } = command.localOnly;
    const instead = values.target === "aws" ? `${values.env} on AWS: ${aws(values.env)}` : `LocalStack: ${localstack}`;
    throw new UsageError(`./pizza ${name} works only on the local pipeline; for ${instead}`);
  }
  return (await command.run(values, words)) ?? 0;
}

/** Moves common options that precede the command behind it: `--target aws status` becomes `status --target aws`. */
function commandFirst(args: string[]): string[] {
  let at = 0;
  for (let option = optionName(args[at]); option !== undefined; option = optionName(args[at])) {
    at += commonOptions[option].type === "string" && !args[at]!.includes("=") ? 2 : 1;
  }
  const command = args[at];
  return command === undefined || args[0] === "--help" ? args : [command, ...args.slice(0, at), ...args.slice(at + 1)];
}

function optionName(word = ""): keyof typeof commonOptions | undefined {
  const name = /^--([a-z]+)/.exec(word)?.[1] ?? "";
  return Object.hasOwn(commonOptions, name) ? (name as keyof typeof commonOptions) : undefined;
}

function help(): string {
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(12)} ${summary}`);
  const localNames = Object.keys(commands).filter((name) => commands[name]!.localOnly !== undefined);
  return [
    "pizza: move pizza orders from the tills through stream, bronze and silver to gold, and verify that none is lost",
    "",
    "usage: ./pizza <command> [options]",
    "",
    "commands:",
    ...lines,
    "",
    "common options:",
    optionLine("json", "print one JSON document on stdout"),
    optionLine("target NAME", `where the pipeline runs: ${targetNames.join(", ")} (default: local)`),
    optionLine("env NAME", "environment of a deployed pipeline (default: dev, with --target localstack: localstack)"),
    optionLine("dir DIR", "data directory of the local pipeline (default: .pizza)"),
    optionLine("help", "print this help, or the help of a command"),
    "",
    `commands that work only with --target local: ${localNames.join(", ")}`,
    "",
    "exit codes:",
    "  0  success",
    "  1  failure",
    "  2  wrong usage",
    "  3  the receipt does not balance, a quality rule is red, or a value differs (explain, rebuild)",
  ].join("\n");
}

function commandHelp({ summary, usage, options = {} }: Command): string {
  const lines = Object.entries(options).map(([name, { about }]) => optionLine(name, about));
  return [summary, "", `usage: ./pizza ${usage}`, ...(lines.length > 0 ? ["", ...lines] : [])].join("\n");
}

function optionLine(name: string, about: string): string {
  return `  --${name.padEnd(16)} ${about}`;
}

// A reader such as `head` closes the pipe early: exit as a program killed by SIGPIPE does (128 + 13).
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(141);
});
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = error instanceof UsageError ? 2 : 1;
  const { message } = error as Error;
  say(`pizza: ${message}`);
  if (process.argv.includes("--json")) printJson({ error: { message, exitCode: process.exitCode } });
  if (process.env["PIZZA_DEBUG"] !== undefined) say(inspect(error));
}
