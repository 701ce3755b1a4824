import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import { UsageError } from "./output.ts";

/** What every command understands. */
export const commonOptions = {
  json: { type: "boolean" },
  home: { type: "string", default: "embedded" },
  dir: { type: "string", default: process.env["PIZZA_DIR"] ?? ".pizza" },
  help: { type: "boolean", short: "h" },
} as const satisfies ParseArgsOptionsConfig;

export type Values = Record<string, string | boolean | undefined> & { json?: boolean; dir: string };

export interface Command {
  /** One line for the list of commands. */
  summary: string;
  /** How it is called, after `pizza`. */
  usage: string;
  /** Options beyond the common ones, each with a sentence. */
  options?: Record<string, { type: "string" | "boolean"; about: string }>;
  /** Resolves to the exit code; 0 where it resolves to nothing. */
  run(values: Values, words: string[]): Promise<number | void>;
}

/** Reads a command's options and words; anything unknown is a usage error that says what is known. */
export function readOptions({ options = {}, usage }: Command, args: string[]): { values: Values; words: string[] } {
  const known = Object.fromEntries(Object.entries(options).map(([name, { type }]) => [name, { type }]));
  try {
    const { values, positionals } = parseArgs({
      args,
      options: { ...commonOptions, ...known },
      allowPositionals: true,
      strict: true,
    });
    return { values: values, words: positionals };
  } catch (error) {
    const [reason] = (error as Error).message.split(". To specify");
    throw new UsageError(`${reason}\nusage: pizza ${usage}`);
  }
}

/** A whole number in a range; undefined where the option was not given. */
export function wholeNumber(
  values: Values,
  name: string,
  { min, max }: { min: number; max: number },
): number | undefined {
  const value = numberOption(values, name, { min, max });
  if (value !== undefined && !Number.isInteger(value)) throw new UsageError(`--${name} ${value}: give a whole number`);
  return value;
}

/** A number in a range; undefined where the option was not given. */
export function numberOption(
  values: Values,
  name: string,
  { min, max }: { min: number; max: number },
): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const value = typeof text === "string" && text.trim() !== "" ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw new UsageError(`--${name} ${text}: give a number from ${min} to ${max}`);
  return value;
}

/** One of some words; undefined where the option was not given. */
export function oneOf<Word extends string>(values: Values, name: string, words: readonly Word[]): Word | undefined {
  const value = values[name];
  if (value === undefined) return undefined;
  if (!words.includes(value as Word)) throw new UsageError(`--${name} ${value}: choose one of ${words.join(", ")}`);
  return value as Word;
}
