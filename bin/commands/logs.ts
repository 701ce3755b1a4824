import { existsSync, readFileSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { LogLine } from "../../targets/aws/function-logs.ts";
import { dataDirectory } from "../../targets/local/data-directory.ts";
import { eventLogFile, levels, parseEntries, readEventLog, type LogEntry } from "../../targets/local/event-log.ts";
import { oneOf, parseMoment, wholeNumber, type Command, type Values } from "../options.ts";
import { print, printJson, UsageError } from "../output.ts";
import { withDeployedPipeline } from "../with-target.ts";

export const logs: Command = {
  summary: "print what happened in the local pipeline, or the log of a deployed pipeline's functions",
  examples: ["logs --since 12h --level warning", "logs --follow"],
  usage: "logs [--lines N] [--since TIME] [--level LEVEL] [--follow] [--function NAME]",
  options: {
    lines: { type: "string", about: "number of entries (default: 50, with --since all)" },
    since: { type: "string", about: "only what happened since: 30m, 12h, 2d, a day or a time in UTC" },
    level: { type: "string", about: `only this level and worse ones: ${levels.join(", ")}` },
    follow: { type: "boolean", about: "keep printing new entries until Ctrl-C" },
    function: { type: "string", about: "only this function, such as RefineSilver (deployed pipelines)" },
  },
  async run(values) {
    const given = wholeNumber(values, "lines", { min: 1, max: 1_000_000 });
    const level = oneOf(values, "level", levels) ?? "info";
    const since = sinceOf(values);
    if (values.target !== "local") {
      if (since !== undefined || values["level"] !== undefined)
        throw new UsageError("--since and --level work only with --target local");
      return await deployedLogs(values, given ?? 50);
    }
    if (values["follow"] === true && values.json)
      throw new UsageError("--json cannot be combined with --follow: it prints one complete document");
    if (values["function"] !== undefined)
      throw new UsageError("--function works only with deployed pipelines: add --target aws");
    const folder = dataDirectory(values.dir);
    const isWanted = (entry: LogEntry) =>
      levels.indexOf(entry.level) >= levels.indexOf(level) && Date.parse(entry.at) >= (since ?? 0);
    const entries = readEventLog(folder);
    if (entries.length === 0 && !existsSync(folder.logs))
      throw new Error(`folder ${folder.logs} does not exist: the local pipeline was never started in the background`);
    const lines = given ?? (since === undefined ? 50 : Infinity);
    const newest = entries.filter(isWanted).slice(-lines);
    if (values.json) return printJson(newest);
    for (const entry of newest) print(entryText(entry));
    if (values["follow"] === true) await follow(eventLogFile(folder), isWanted);
  },
};

const unitMs = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time in milliseconds since 1970, or one that lies a duration before now. */
function sinceOf({ since }: Values): number | undefined {
  if (typeof since !== "string") return undefined;
  const [, number, unit] = /^(\d+)([mhd])$/.exec(since) ?? [];
  const moment =
    unit === undefined ? parseMoment(since) : Date.now() - Number(number) * unitMs[unit as keyof typeof unitMs];
  if (moment !== undefined) return moment;
  throw new UsageError(`--since ${since}: give 30m, 12h, 2d, a day (2026-01-31) or a time (2026-01-31T18:00:00Z)`);
}

const labels: Record<LogEntry["level"], string> = { info: "INFO ", warning: "WARN ", error: "ERROR", alert: "ALERT" };

/** An entry as text; the further lines of an alert are indented. */
function entryText({ at, level, text }: LogEntry): string {
  return `${at} ${labels[level]} ${text.replaceAll("\n", "\n    ")}`;
}

const followEveryMs = 300;

/** Prints new entries until Ctrl-C, also those that come after the file has been rotated. */
async function follow(path: string, isWanted: (entry: LogEntry) => boolean): Promise<void> {
  const interrupt = new AbortController();
  process.once("SIGINT", () => interrupt.abort());
  const read = (file: string) => (existsSync(file) ? readFileSync(file) : Buffer.alloc(0));
  let seen = existsSync(path) ? statSync(path) : undefined;
  let offset = seen?.size ?? 0;
  while (!interrupt.signal.aborted) {
    await sleep(followEveryMs);
    const now = existsSync(path) ? statSync(path) : undefined;
    if (now === undefined || (now.ino === seen?.ino && now.size === offset)) continue;
    const isRotated = seen !== undefined && now.ino !== seen.ino;
    const text = isRotated
      ? Buffer.concat([read(`${path}.1`).subarray(offset), read(path)])
      : read(path).subarray(offset);
    // A line that is still being written is read with the next ones.
    const whole = text.subarray(0, text.lastIndexOf(10) + 1);
    offset = isRotated ? read(path).lastIndexOf(10) + 1 : offset + whole.length;
    seen = now;
    for (const entry of parseEntries(whole.toString("utf8")).filter(isWanted)) print(entryText(entry));
  }
}

/** Prints the newest log lines of a deployed pipeline's functions; with `--follow`, also those that arrive later. */
async function deployedLogs(values: Values, lines: number): Promise<void> {
  const only = typeof values["function"] === "string" ? { only: values["function"] } : {};
  await withDeployedPipeline(values, async ({ logs: functionLogs }) => {
    const since = Date.now();
    const newest = await functionLogs.newest({ lines, ...only });
    if (values.json) return printJson(newest);
    for (const line of newest) print(textOf(line));
    if (values["follow"] !== true) return;
    const interrupt = new AbortController();
    process.once("SIGINT", () => interrupt.abort());
    for await (const line of functionLogs.follow({ since, ...only, signal: interrupt.signal })) print(textOf(line));
  });
}

function textOf({ at, function: name, text }: LogLine): string {
  return `${at} ${name.padEnd(18)} ${text}`;
}
