import { inspect } from "node:util";
import { commonOptions, readOptions, targetNames, type Command } from "./options.ts";
import { print, printJson, say, UsageError } from "./output.ts";

/** Loads one command. Each in its own module, because loading all of them takes longer than most commands run. */
const commands: Record<string, () => Promise<Command>> = {
  demo: async () => (await import("./commands/demo.ts")).demo,
  start: async () => (await import("./commands/service.ts")).start,
  stop: async () => (await import("./commands/service.ts")).stop,
  restart: async () => (await import("./commands/service.ts")).restart,
  status: async () => (await import("./commands/status.ts")).status,
  console: async () => (await import("./commands/console.ts")).openConsole,
  logs: async () => (await import("./commands/logs.ts")).logs,
  clean: async () => (await import("./commands/service.ts")).clean,
  produce: async () => (await import("./commands/send.ts")).produce,
  replay: async () => (await import("./commands/send.ts")).replay,
  drill: async () => (await import("./commands/drill.ts")).drill,
  run: async () => (await import("./commands/inspect.ts")).run,
  verify: async () => (await import("./commands/inspect.ts")).verify,
  quality: async () => (await import("./commands/quality.ts")).quality,
  query: async () => (await import("./commands/inspect.ts")).query,
  lineage: async () => (await import("./commands/lineage.ts")).lineage,
  quarantine: async () => (await import("./commands/quarantine.ts")).quarantine,
  retry: async () => (await import("./commands/retry.ts")).retry,
  trace: async () => (await import("./commands/trace.ts")).trace,
  explain: async () => (await import("./commands/explain.ts")).explain,
  corrections: async () => (await import("./commands/corrections.ts")).corrections,
  forget: async () => (await import("./commands/forget.ts")).forget,
  credentials: async () => (await import("./commands/inspect.ts")).credentials,
  backup: async () => (await import("./commands/backup.ts")).backup,
  restore: async () => (await import("./commands/backup.ts")).restore,
  rebuild: async () => (await import("./commands/rebuild.ts")).rebuild,
  doctor: async () => (await import("./commands/doctor.ts")).doctor,
  cost: async () => (await import("./commands/cost.ts")).cost,
};

/** Runs a command line, the words after `./pizza`, and resolves to its exit code; it reports errors itself. */
export async function runCommandLine(words: string[]): Promise<number> {
  try {
    return await run(words);
  } catch (error) {
    const exitCode = error instanceof UsageError ? 2 : 1;
    const { message } = error as Error;
    say(`pizza: ${message}`);
    if (words.includes("--json")) printJson({ error: { message, exitCode } });
    if (process.env["PIZZA_DEBUG"] !== undefined) say(inspect(error));
    return exitCode;
  }
}

async function run(given: string[]): Promise<number> {
  const [name, ...args] = commandFirst(given);
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    print(await help());
    return name === undefined ? 2 : 0;
  }
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load === undefined) {
    throw new UsageError(`command ${name} is unknown\n\n${await help()}`);
  }
  const command = await load();
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

async function help(): Promise<string> {
  const loaded = await Promise.all(Object.entries(commands).map(async ([name, load]) => ({ name, ...(await load()) })));
  const lines = loaded.map(({ name, summary }) => `  ${name.padEnd(12)} ${summary}`);
  const localNames = loaded.filter(({ localOnly }) => localOnly !== undefined).map(({ name }) => name);
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
