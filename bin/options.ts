import { join, relative } from "node:path";
import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import { projectRoot } from "../targets/localstack-directory.ts";
import { UsageError } from "./output.ts";

/** Options that every command accepts. */
export const commonOptions = {
  json: { type: "boolean" },
  target: { type: "string", default: "local" },
  env: { type: "string" },
  dir: { type: "string", default: process.env["PIZZA_DIR"] ?? relative(process.cwd(), join(projectRoot, ".pizza")) },
  help: { type: "boolean", short: "h" },
} as const satisfies ParseArgsOptionsConfig;

/** Where a pipeline runs. */
export const targetNames = ["local", "localstack", "aws"] as const;

export type Values = Record<string, string | boolean | undefined> & {
  json?: boolean;
  dir: string;
  target: (typeof targetNames)[number];
  /** Environment of a deployed pipeline; part of the stack names. */
  env: string;
};

/** Option values as given on the command line, by name. */
export type Given = Record<string, string | boolean | undefined>;

export interface Command {
  /** One line for the list of commands. */
  summary: string;
  /** Two calls that people copy, without the leading `./pizza`. */
  examples: readonly [string, string];
  /** Synopsis without the leading `./pizza`. */
  usage: string;
  /** Maximum number of positional arguments; default 0. */
  mostWords?: number;
  /** Set for commands that work only on the local pipeline: what to run for a deployed one instead. */
  localOnly?: { aws: (environment: string) => string; localstack: string };
  /** Options beyond the common ones, each with its help text. */
  options?: Record<string, { type: "string" | "boolean"; about: string }>;
  /** Resolves to the exit code; nothing means 0. */
  run(values: Values, words: string[]): Promise<number | void>;
}

/** Parses a command's options and arguments; anything unknown is a usage error with the command's usage. */
export function readOptions(
  { options = {}, usage, mostWords = 0 }: Command,
  args: string[],
): { values: Values; words: string[] } {
  let parsed;
  const known = Object.fromEntries(Object.entries(options).map(([name, { type }]) => [name, { type }]));
  try {
    const { values, positionals } = parseArgs({
      args,
      options: { ...commonOptions, ...known },
      allowPositionals: true,
      strict: true,
    });
    parsed = { values, words: positionals };
  } catch (error) {
    const [reason] = (error as Error).message.split(". To specify");
    throw new UsageError(`${reason}\nusage: ./pizza ${usage}`);
  }
  const unexpected = parsed.words[mostWords];
  if (unexpected !== undefined) throw new UsageError(`unexpected argument ${unexpected}\nusage: ./pizza ${usage}`);
  const target = oneOf(parsed.values, "target", targetNames)!;
  return { values: { ...parsed.values, target, env: environmentOf(parsed.values, target) }, words: parsed.words };
}

/** Restricted to what CloudFormation allows, because it is part of the stack names. */
function environmentOf({ env }: { env?: string | undefined }, target: Values["target"]): string {
  const name = env ?? process.env["PIZZA_ENV"] ?? (target === "localstack" ? "localstack" : "dev");
  if (/^[a-z][a-z0-9-]{0,30}$/.test(name)) return name;
  throw new UsageError(`--env ${name}: give the name of an environment, such as dev, staging or prod`);
}

/** A whole number in a range; undefined if the option was not given. */
export function wholeNumber(
  values: Given,
  name: string,
  { min, max }: { min: number; max: number },
): number | undefined {
  const value = numberOption(values, name, { min, max });
  if (value !== undefined && !Number.isInteger(value)) throw new UsageError(`--${name} ${value}: give a whole number`);
  return value;
}

/** A number in a range; undefined if the option was not given. */
export function numberOption(
  values: Given,
  name: string,
  { min, max }: { min: number; max: number },
): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const value = typeof text === "string" && text.trim() !== "" ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw new UsageError(`--${name} ${text}: give a number from ${min} to ${max}`);
  return value;
}

/** A valid calendar day, `YYYY-MM-DD`; undefined for any other text. */
export function calendarDay(text: string): string | undefined {
  const moment = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : Number.NaN;
  // Date.parse rolls a day such as 2015-02-30 over into the next month.
  return !Number.isNaN(moment) && new Date(moment).toISOString().startsWith(text) ? text : undefined;
}

/**
 * A day's start in UTC or a time such as `2026-01-31T18:00:00Z`, in milliseconds since 1970; undefined for other text.
 */
export function parseMoment(text: string): number | undefined {
  const [, day = text, time] = /^([^T]*)T(\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))$/.exec(text) ?? [];
  if (calendarDay(day) === undefined) return undefined;
  const moment = Date.parse(time === undefined ? day : text);
  return Number.isNaN(moment) ? undefined : moment;
}

/** One of the given words; undefined if the option was not given. */
export function oneOf<Word extends string>(values: Given, name: string, words: readonly Word[]): Word | undefined {
  const value = values[name];
  if (value === undefined) return undefined;
  if (!words.includes(value as Word)) throw new UsageError(`--${name} ${value}: choose one of ${words.join(", ")}`);
  return value as Word;
}
