import { createInterface } from "node:readline/promises";
import type { ForgetSummary } from "../../pipeline/forget/forget-customer.ts";
import type { Command } from "../options.ts";
import { count, print, printJson, say, UsageError } from "../output.ts";
import { withPipeline } from "../with-target.ts";

export const forget: Command = {
  summary: "erase a customer's identity from every layer; orders, totals and the receipt stay the same",
  examples: ["forget c-700360", "forget c-700360 --yes --json"],
  usage: "forget <customer_id> [--yes] [--json]",
  mostWords: 1,
  options: { yes: { type: "boolean", about: "do not ask for confirmation" } },
  async run(values, [customerId]) {
    if (customerId === undefined || customerId === "") {
      throw new UsageError(
        `no customer given: give the customer_id that the tills send\nusage: ./pizza ${forget.usage}`,
      );
    }
    if (values["yes"] !== true && !(await isConfirmed(customerId))) return 1;
    const summary = await withPipeline(values, (pipeline) => pipeline.forget({ customerId }));
    if (values.json) printJson({ customerId, ...summary });
    else if (isNothing(summary)) print(`customer ${customerId} was not found: nothing was changed`);
    else print(summaryText(summary));
    const more = closing(customerId, summary);
    if (!values.json && more !== "") say(more);
    return 0;
  },
};

async function isConfirmed(customerId: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new UsageError("forget cannot be undone: add --yes to confirm");
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`permanently erase ${customerId} from every layer? [y/N] `);
  terminal.close();
  return answer.trim().toLowerCase().startsWith("y");
}

function summaryText(summary: ForgetSummary): string {
  const rows: [string, number, string][] = [
    ["events", summary.events, "no longer name the customer"],
    ["stream", summary.streamRecords, "records rewritten"],
    ["bronze", summary.bronzeObjects, "objects replaced"],
    ["silver", summary.orders, "orders moved to another customer key"],
    ["quarantine", summary.quarantined, "payloads redacted"],
    ["versions", summary.erasedFiles, "data files of old versions deleted"],
  ];
  return rows.map(([name, number, what]) => `${name.padEnd(11)}${count(number)} ${what}`).join("\n");
}

/** True for an unknown customer and for one who was forgotten before. */
function isNothing({ events, isResumed }: ForgetSummary): boolean {
  return events === 0 && !isResumed;
}

function closing(customerId: string, summary: ForgetSummary): string {
  const { streamKeeps, unreadable, unreadObjects, isResumed } = summary;
  return [
    ...(isNothing(summary) ? [] : [`${customerId} is forgotten; gold is updated from silver`]),
    ...(isResumed ? ["this run completed an earlier run that was interrupted"] : []),
    ...(streamKeeps > 0
      ? [`the stream keeps ${count(streamKeeps)} of the records unchanged until its retention period ends`]
      : []),
    ...(unreadable > 0
      ? [
          `${count(unreadable)} quarantined records are still packed or in another encoding and were not searched: ./pizza quarantine list`,
        ]
      : []),
    ...(unreadObjects.length > 0
      ? [
          `bronze objects that are set aside or damaged were not searched; restore them, run ./pizza retry and forget again: ${unreadObjects.join(", ")}`,
        ]
      : []),
  ].join("\n");
}
