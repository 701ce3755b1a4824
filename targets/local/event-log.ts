import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { appendFile, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { DataDirectory } from "./data-directory.ts";

export const levels = ["info", "warning", "error", "alert"] as const;

/** `alert`: it was also sent to the webhook and the command, if they are set. */
export type Level = (typeof levels)[number];

const entrySchema = z.object({ at: z.string(), level: z.enum(levels), event: z.string(), text: z.string() });

/** One thing that happened: when (ISO 8601), how bad it is, its kind such as `rejected`, and a text for people. */
export type LogEntry = z.infer<typeof entrySchema>;

/** Writes a line to the log; `info` and `pipeline` without other words. */
export type Log = (text: string, about?: { level?: Level; event?: string }) => void;

const fileName = "events.log";
const defaults = { mostBytes: 4 * 1024 * 1024, keptFiles: 3 };
/** More lines wait at most while the disk does not answer; older ones are dropped. */
const mostWaiting = 10_000;

/**
 * Opens the pipeline's log: JSON lines in `logs/events.log`. A file that has grown to `mostBytes` becomes
 * `events.log.1`, and the oldest of `keptFiles` earlier ones is dropped. Writing never waits for the disk and never
 * throws: a log must not stop the pipeline that it describes.
 */
export function openEventLog(
  { logs }: Pick<DataDirectory, "logs">,
  { mostBytes, keptFiles }: { mostBytes: number; keptFiles: number } = defaults,
): { log: Log; flush: () => Promise<void> } {
  mkdirSync(logs, { recursive: true });
  const path = join(logs, fileName);
  const waiting: string[] = [];
  let writing: Promise<void> | undefined;

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      const text = waiting.splice(0).join("");
      try {
        const size = await stat(path).then(
          (file) => file.size,
          () => 0,
        );
        if (size > 0 && size + text.length > mostBytes) await rotate(path, keptFiles);
        await appendFile(path, text, { mode: 0o600 });
      } catch {
        // A full disk: the line is lost, and what it said is in the status.
      }
    }
    writing = undefined;
  }

  return {
    log(text, { level = "info", event = "pipeline" } = {}) {
      const entry: LogEntry = { at: new Date().toISOString(), level, event, text };
      waiting.push(`${JSON.stringify(entry)}\n`);
      if (waiting.length > mostWaiting) waiting.shift();
      writing ??= writeAll();
    },
    flush: async () => await writing,
  };
}

async function rotate(path: string, keptFiles: number): Promise<void> {
  for (let number = keptFiles; number > 0; number--) {
    const from = number === 1 ? path : `${path}.${number - 1}`;
    await rename(from, `${path}.${number}`).catch(() => {});
  }
}

/** The file that is written now; earlier ones end in `.1`, `.2`, the newest first. */
export const eventLogFile = ({ logs }: Pick<DataDirectory, "logs">): string => join(logs, fileName);

/**
 * Reads the log, the oldest entry first, with what the process itself has printed before it could log: why it did not
 * start, or how it crashed.
 */
export function readEventLog(folder: Pick<DataDirectory, "logs">): LogEntry[] {
  const path = eventLogFile(folder);
  const files = [path];
  for (let number = 1; existsSync(`${path}.${number}`); number++) files.unshift(`${path}.${number}`);
  const entries = files.filter((file) => existsSync(file)).flatMap((file) => parseEntries(readFileSync(file, "utf8")));
  return [...entries, ...printed(folder)].toSorted((a, b) => (a.at < b.at ? -1 : Number(a.at > b.at)));
}

/** The entries in a text; a line that is truncated is left out. */
export function parseEntries(text: string): LogEntry[] {
  return text.split("\n").flatMap((line) => {
    try {
      return [entrySchema.parse(JSON.parse(line))];
    } catch {
      return [];
    }
  });
}

function printed({ logs }: Pick<DataDirectory, "logs">): LogEntry[] {
  const path = join(logs, "home.log");
  if (!existsSync(path)) return [];
  const at = statSync(path).mtime.toISOString();
  const lines = readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .filter((line) => line !== "");
  return lines.map((line) => {
    const [, time, text] = /^(\d{4}-\d\d-\d\dT[\d:.]+Z) (.*)$/.exec(line) ?? [];
    return { at: time ?? at, level: time === undefined ? "error" : "info", event: "output", text: text ?? line };
  });
}
