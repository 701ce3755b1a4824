#!/usr/bin/env node
import { clean, logs, restart, start, status, stop } from "./commands/service.ts";
import { credentials, query, run, verify } from "./commands/inspect.ts";
import { demo } from "./commands/demo.ts";
import { doctor } from "./commands/doctor.ts";
import { produce, replay } from "./commands/send.ts";
import { readOptions, type Command } from "./options.ts";
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
  query,
  credentials,
  doctor,
};

async function main([name, ...args]: string[]): Promise<number> {
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    print(help());
    return name === undefined ? 2 : 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    throw new UsageError(`pizza has no command ${name}\n\n${help()}`);
  }
  const { values, words } = readOptions(command, args);
  if (values["help"] === true) {
    print(commandHelp(command));
    return 0;
  }
  if (values["home"] !== "embedded") {
    throw new UsageError(`--home ${values["home"]}: only the embedded home is here yet; leave --home out`);
  }
  return (await command.run(values, words)) ?? 0;
}

function help(): string {
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(12)} ${summary}`);
  return [
    "pizza: orders from the tills, through stream, bronze and silver, to gold, and a receipt that proves it",
    "",
    "usage: pizza <command> [options]",
    "",
    ...lines,
    "",
    "every command: --json (one JSON document on stdout), --dir (the home's folder, .pizza by default), --help",
    "exit codes: 0 done, 1 failed, 2 wrong usage, 3 the receipt does not balance",
  ].join("\n");
}

function commandHelp({ summary, usage, options = {} }: Command): string {
  const lines = Object.entries(options).map(([name, { about }]) => `  --${name.padEnd(16)} ${about}`);
  return [summary, "", `usage: pizza ${usage}`, ...(lines.length > 0 ? ["", ...lines] : [])].join("\n");
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = error instanceof UsageError ? 2 : 1;
  const { message } = error as Error;
  say(`pizza: ${message}`);
  if (process.argv.includes("--json")) printJson({ error: { message, exitCode: process.exitCode } });
  if (process.env["PIZZA_DEBUG"] !== undefined) console.error(error);
}
