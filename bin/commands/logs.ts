import type { LogLine } from "../../targets/aws/function-logs.ts";
import type { Values } from "../options.ts";
import { print, printJson } from "../output.ts";
import { withDeployedPipeline } from "../with-target.ts";

/** Prints the newest log lines of a deployed pipeline's functions; with `--follow`, also those that arrive later. */
export async function deployedLogs(values: Values, lines: number): Promise<void> {
  const only = typeof values["function"] === "string" ? { only: values["function"] } : {};
  await withDeployedPipeline(values, async ({ logs }) => {
    const since = Date.now();
    const newest = await logs.newest({ lines, ...only });
    if (values.json) return printJson(newest);
    for (const line of newest) print(textOf(line));
    if (values["follow"] !== true) return;
    const interrupt = new AbortController();
    process.once("SIGINT", () => interrupt.abort());
    for await (const line of logs.follow({ since, ...only, signal: interrupt.signal })) print(textOf(line));
  });
}

function textOf({ at, function: name, text }: LogLine): string {
  return `${at} ${name.padEnd(18)} ${text}`;
}
