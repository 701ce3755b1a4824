import { inspect } from "node:util";
import { commonOptions, readOptions, targetNames, type Command } from "./options.ts";
import { print, printJson, say, UsageError } from "./output.ts";

/** The commands by task. Each is loaded alone, because loading all of them takes longer than most commands run. */
const tasks: Record<string, Record<string, () => Promise<Command>>> = {
  "run it": {
    demo: async () => (await import("./commands/demo.ts")).demo,
    start: async () => (await import("./commands/service.ts")).start,
    stop: async () => (await import("./commands/service.ts")).stop,
    restart: async () => (await import("./commands/service.ts")).restart,
    clean: async () => (await import("./commands/service.ts")).clean,
  },
  "see what is going on": {
    status: async () => (await import("./commands/status.ts")).status,
    logs: async () => (await import("./commands/logs.ts")).logs,
    console: async () => (await import("./commands/console.ts")).openConsole,
    doctor: async () => (await import("./commands/doctor.ts")).doctor,
  },
  "send orders": {
    produce: async () => (await import("./commands/send.ts")).produce,
    replay: async () => (await import("./commands/send.ts")).replay,
    run: async () => (await import("./commands/inspect.ts")).run,
    drill: async () => (await import("./commands/drill.ts")).drill,
  },
  "prove and question the numbers": {
    verify: async () => (await import("./commands/inspect.ts")).verify,
    quality: async () => (await import("./commands/quality.ts")).quality,
    explain: async () => (await import("./commands/explain.ts")).explain,
    trace: async () => (await import("./commands/trace.ts")).trace,
    query: async () => (await import("./commands/inspect.ts")).query,
    corrections: async () => (await import("./commands/corrections.ts")).corrections,
    lineage: async () => (await import("./commands/lineage.ts")).lineage,
    credentials: async () => (await import("./commands/bi.ts")).credentials,
    powerbi: async () => (await import("./commands/bi.ts")).powerbi,
  },
  mend: {
    quarantine: async () => (await import("./commands/quarantine.ts")).quarantine,
    retry: async () => (await import("./commands/retry.ts")).retry,
    rebuild: async () => (await import("./commands/rebuild.ts")).rebuild,
    backup: async () => (await import("./commands/backup.ts")).backup,
    restore: async () => (await import("./commands/backup.ts")).restore,
    forget: async () => (await import("./commands/forget.ts")).forget,
  },
  plan: {
    cost: async () => (await import("./commands/cost.ts")).cost,
  },
};

const commands: Record<string, () => Promise<Command>> = Object.assign({}, ...Object.values(tasks));

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

/** Columns of the help: it fits any terminal. */
const width = 80;

async function help(): Promise<string> {
  const loaded = new Map(
    await Promise.all(Object.entries(commands).map(async ([name, load]) => [name, await load()] as const)),
  );
  const byTask = Object.entries(tasks).flatMap(([task, names]) => [
    "",
    `${task}:`,
    ...Object.keys(names).map((name) => entry(name.padEnd(12), loaded.get(name)!.summary)),
  ]);
  const localNames = [...loaded].filter(([, { localOnly }]) => localOnly !== undefined).map(([name]) => name);
  return [
    wrapped(
      "pizza: move pizza orders from the tills through stream, bronze and silver to gold, and verify that none is lost",
    ),
    "",
    "usage: ./pizza <command> [options]",
    ...byTask,
    "",
    "common options:",
    optionLine("json", "print one JSON document on stdout"),
    optionLine("target NAME", `where the pipeline runs: ${targetNames.join(", ")} (default: local)`),
    optionLine("env NAME", "environment of a deployed pipeline (default: dev, with --target localstack: localstack)"),
    optionLine("dir DIR", "data directory of the local pipeline (default: .pizza)"),
    optionLine("help", "print this help, or the help of a command"),
    "",
    wrapped(`commands that work only with --target local: ${localNames.join(", ")}`),
    "",
    "exit codes:",
    entry("0", "success"),
    entry("1", "failure"),
    entry("2", "wrong usage"),
    entry("3", "the receipt does not balance, a quality rule is red, or a value differs (explain, rebuild)"),
    entry("4-6", "only with status --check: see docs/command-line.md"),
    "",
    "examples:",
    "  ./pizza start",
    "  ./pizza status --help",
  ].join("\n");
}

function commandHelp({ summary, usage, options = {}, examples }: Command): string {
  const lines = Object.entries(options).map(([name, { about }]) => optionLine(name, about));
  return [
    wrapped(summary),
    "",
    wrapped(`usage: ./pizza ${usage}`, 9),
    ...(lines.length > 0 ? ["", ...lines] : []),
    "",
    "examples:",
    ...examples.map((example) => `  ./pizza ${example}`),
  ].join("\n");
}

function optionLine(name: string, about: string): string {
  return entry(`--${name}`.padEnd(18), about);
}

/** A name, and beside it a text that may need several lines. */
function entry(name: string, text: string): string {
  return wrapped(`  ${name} ${text}`, name.length + 3);
}

/** Breaks a text between words; further lines are indented. */
function wrapped(text: string, indent = 0): string {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const space = rest.lastIndexOf(" ", width);
    // A long list of alternatives is broken behind one of them.
    const at = space > indent ? space : rest.lastIndexOf("|", width - 1) + 1 || width;
    lines.push(rest.slice(0, at).trimEnd());
    rest = `${" ".repeat(indent)}${rest.slice(at).trimStart()}`;
  }
  return [...lines, rest].join("\n");
}
