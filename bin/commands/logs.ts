import { createReadStream, existsSync, readFileSync, statSync, watchFile } from "node:fs";
import { join } from "node:path";
import type { LogLine } from "../../targets/aws/function-logs.ts";
import { dataDirectory } from "../../targets/local/data-directory.ts";
import { wholeNumber, type Command, type Values } from "../options.ts";
import { print, printJson, terminalText, UsageError } from "../output.ts";
import { withDeployedPipeline } from "../with-target.ts";

export const logs: Command = {
  summary: "print the log of the local pipeline, or of a deployed pipeline's functions",
  usage: "logs [--lines N] [--follow] [--function NAME]",
  options: {
    lines: { type: "string", about: "number of lines (default: 50)" },
    follow: { type: "boolean", about: "keep printing new lines until Ctrl-C" },
    function: { type: "string", about: "only this function, such as RefineSilver (deployed pipelines)" },
  },
  async run(values) {
    const lines = wholeNumber(values, "lines", { min: 1, max: 1_000_000 }) ?? 50;
    if (values.target !== "local") return await deployedLogs(values, lines);
    if (values["follow"] === true && values.json)
      throw new UsageError("--json cannot be combined with --follow: it prints one complete document");
    if (values["function"] !== undefined)
      throw new UsageError("--function works only with deployed pipelines: add --target aws");
    const path = join(dataDirectory(values.dir).logs, "home.log");
    if (!existsSync(path))
      throw new Error(`log ${path} does not exist: the local pipeline was never started in the background`);
    const tail = readFileSync(path, "utf8").trimEnd().split("\n").slice(-lines);
    if (values.json) return printJson(tail);
    print(tail.join("\n"));
    if (values["follow"] !== true) return;
    let seen = statSync(path).size;
    watchFile(path, { interval: 300 }, ({ size }) => {
      if (size > seen) void printPart(path, seen, size - 1);
      seen = size;
    });
    await new Promise((resolve) => process.once("SIGINT", resolve));
    process.exit(0);
  },
};

/** Prints a part of a file; a line that is still being written comes in two parts. */
async function printPart(path: string, start: number, end: number): Promise<void> {
  const part = createReadStream(path, { start, end, encoding: "utf8" });
  for await (const text of part as AsyncIterable<string>) process.stdout.write(terminalText(text));
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
