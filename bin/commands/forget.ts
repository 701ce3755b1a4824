import { createInterface } from "node:readline/promises";
import type { ForgetSummary } from "../../pipeline/forget/forget-customer.ts";
import { count, print, printJson, say, UsageError } from "../output.ts";
import type { Command } from "../options.ts";
import { withPipeline } from "../with-target.ts";

export const forget: Command = {
  summary: "take a customer out of every layer; orders, totals and the receipt stay",
  usage: "forget <customer_id> [--yes] [--json]",
  mostWords: 1,
  options: { yes: { type: "boolean", about: "do not ask" } },
  async run(values, [customerId]) {
    if (customerId === undefined || customerId === "") {
      throw new UsageError(`name one customer, as the tills do\nusage: ./pizza ${forget.usage}`);
    }
    if (values["yes"] !== true && !(await isConfirmed(customerId))) return 1;
    const summary = await withPipeline(values, (pipeline) => pipeline.forget({ customerId }));
    if (values.json) printJson({ customerId, ...summary });
    else if (isNothing(summary)) print(`nothing names ${customerId}: nothing was changed`);
    else print(summaryText(summary));
    const more = closing(customerId, summary);
    if (!values.json && more !== "") say(more);
    return 0;
  },
};

async function isConfirmed(customerId: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new UsageError("forget cannot be undone: add --yes");
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`forget ${customerId} in every layer, for good? [y/N] `);
  terminal.close();
  return answer.trim().toLowerCase().startsWith("y");
}

function summaryText(summary: ForgetSummary): string {
  const rows: [string, number, string][] = [
    ["events", summary.events, "no longer name the customer"],
    ["stream", summary.streamRecords, "records rewritten"],
    ["bronze", summary.bronzeObjects, "objects replaced"],
    ["silver", summary.orders, "orders under another customer key"],
    ["quarantine", summary.quarantined, "payloads redacted"],
    ["versions", summary.erasedFiles, "data files of earlier versions removed"],
  ];
  return rows.map(([name, number, what]) => `${name.padEnd(11)}${count(number)} ${what}`).join("\n");
}

/** An unknown customer, or one who was forgotten before. */
function isNothing({ events, isResumed }: ForgetSummary): boolean {
  return events === 0 && !isResumed;
}

function closing(customerId: string, summary: ForgetSummary): string {
  const { streamKeeps, unreadable, isResumed } = summary;
  return [
    ...(isNothing(summary) ? [] : [`${customerId} is forgotten; gold follows silver`]),
    ...(isResumed ? ["an earlier run had not come to its end; this one completed it"] : []),
    ...(streamKeeps > 0
      ? [`the stream itself keeps ${count(streamKeeps)} of the records as they were until its retention ends`]
      : []),
    ...(unreadable > 0
      ? [
          `${count(unreadable)} records that cannot be unpacked were not looked into: ./pizza quarantine list --reason batch_corrupt`,
        ]
      : []),
  ].join("\n");
}
