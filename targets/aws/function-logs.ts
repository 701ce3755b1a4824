import { setTimeout as sleep } from "node:timers/promises";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { GetFunctionConfigurationCommand, LambdaClient } from "@aws-sdk/client-lambda";
import type { Deployment } from "./deployment.ts";
import { explained } from "./explain-error.ts";

export interface LogLine {
  /** Log time, ISO 8601 in UTC. */
  at: string;
  /** The function's name in the project. */
  function: string;
  text: string;
}

export interface FunctionLogs {
  /** The newest lines of all functions, or of one, oldest first; from the last week at most. */
  newest(options: { lines: number; only?: string }): Promise<LogLine[]>;
  /** New lines as they arrive, until the signal aborts. */
  follow(options: { since: number; only?: string; signal: AbortSignal }): AsyncIterable<LogLine>;
}

/** Search windows in minutes, tried in order until one has enough lines: usually the first suffices. */
const lookBackMinutes = [15, 3 * 60, 24 * 60, 7 * 24 * 60];
/** CloudWatch makes a line available a few seconds after it was written, so each poll overlaps the previous one. */
const overlapMs = 15_000;
const pauseMs = 2000;

/** The log lines of a deployment's functions in CloudWatch. */
export function openFunctionLogs(
  { functions, region }: Pick<Deployment, "functions" | "region">,
  client = new CloudWatchLogsClient({}),
  lambda = new LambdaClient({}),
): FunctionLogs {
  const groups = new Map<string, string>();

  function chosen(only: string | undefined): string[] {
    if (only === undefined) return Object.keys(functions);
    if (functions[only] !== undefined) return [only];
    throw new Error(`function ${only} is unknown: choose one of ${Object.keys(functions).join(", ")}`);
  }

  async function groupOf(name: string): Promise<string> {
    const known = groups.get(name);
    if (known !== undefined) return known;
    const call = lambda.send(new GetFunctionConfigurationCommand({ FunctionName: functions[name]! }));
    const { LoggingConfig } = await explained(call, { what: `function ${name}`, region });
    const group = LoggingConfig?.LogGroup ?? `/aws/lambda/${functions[name]}`;
    groups.set(name, group);
    return group;
  }

  async function read(name: string, startTime: number): Promise<(LogLine & { id: string })[]> {
    const logGroupName = await groupOf(name);
    const lines = [];
    let nextToken: string | undefined;
    do {
      const command = new FilterLogEventsCommand({ logGroupName, startTime, ...(nextToken && { nextToken }) });
      const call = client.send(command).catch((error: Error) => {
        // The log group may not exist before the function's first invocation.
        if (error.name === "ResourceNotFoundException") return { events: [], nextToken: undefined };
        throw error;
      });
      const page = await explained(call, { what: `the log of ${name}`, region });
      for (const { eventId, timestamp, message } of page.events ?? []) {
        const at = new Date(timestamp!).toISOString();
        lines.push({ id: eventId!, at, function: name, text: message!.trimEnd() });
      }
      ({ nextToken } = page);
    } while (nextToken !== undefined);
    return lines;
  }

  async function readAll(names: readonly string[], startTime: number) {
    const lines = [];
    // Sequential, because FilterLogEvents has a low request quota.
    for (const name of names) lines.push(...(await read(name, startTime)));
    return lines.toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  }

  return {
    async newest({ lines, only }) {
      const names = chosen(only);
      let found: LogLine[] = [];
      for (const minutes of lookBackMinutes) {
        found = (await readAll(names, Date.now() - minutes * 60_000)).map(plain);
        if (found.length >= lines) break;
      }
      return found.slice(-lines);
    },
    async *follow({ since, only, signal }) {
      const names = chosen(only);
      let seen = new Set<string>();
      for (let from = since; !signal.aborted;) {
        const started = Date.now();
        const lines = await readAll(names, from);
        yield* lines.filter(({ id }) => !seen.has(id)).map(plain);
        seen = new Set(lines.map(({ id }) => id));
        from = Math.max(since, started - overlapMs);
        await sleep(pauseMs, undefined, { signal }).catch(() => {});
      }
    },
  };
}

function plain({ at, function: name, text }: LogLine): LogLine {
  return { at, function: name, text };
}
