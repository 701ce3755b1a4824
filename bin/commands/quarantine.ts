import { readFileSync } from "node:fs";
import { loadCatalog } from "../../adapters/project-files.ts";
import { parseEdit } from "../../pipeline/domain/edit-event.ts";
import { errorCode } from "../../pipeline/domain/errors.ts";
import { reasons } from "../../pipeline/domain/rejection-reasons.ts";
import { eventPosition } from "../../pipeline/domain/stream-position.ts";
import type { QuarantinedOrder } from "../../pipeline/quarantine/list-quarantined.ts";
import {
  judgeResends,
  ordersOf,
  planResend,
  resend,
  type Correction,
  type ResendPlan,
} from "../../pipeline/quarantine/resend.ts";
import type { Pipeline } from "../../targets/operations.ts";
import { oneOf, type Command, type Values } from "../options.ts";
import { count, money, oneLine, paint, print, printJson, say, textTable, UsageError } from "../output.ts";
import { lakeSqlOption, withPipeline, withReadOnlyPipeline } from "../with-target.ts";

const reasonNames = Object.keys(reasons) as (keyof typeof reasons)[];

export const quarantine: Command = {
  summary: "list rejected events, show one, or correct and resend them",
  examples: [
    "quarantine list --reason unknown_pizza",
    "quarantine resend 4ae99a 'lines[*].unit_price=@menu' --dry-run",
  ],
  usage:
    "quarantine list [--reason R] [--all] | show <id> | resend <id>... | resend --reason R  [path=value ...] [--file FILE] [--dry-run] [--wait]",
  mostWords: Infinity,
  options: {
    reason: { type: "string", about: "only events rejected for this reason" },
    all: { type: "boolean", about: "list: include resolved events, whose order arrived later" },
    file: { type: "string", about: "resend: replace the rejected event with the event in this file" },
    "dry-run": {
      type: "boolean",
      about: "resend: show what would be sent and whether silver would accept it; send nothing",
    },
    wait: { type: "boolean", about: "resend: wait until everything sent is in gold" },
    ...lakeSqlOption,
  },
  async run(values, [action, ...words]) {
    if (action === "list" && words.length === 0) return await list(values);
    if (action === "show" && words.length === 1) return await show(values, words[0]!);
    if (action === "resend") return await resendCommand(values, words);
    throw new UsageError(`give one of list, show <id> or resend\nusage: ./pizza ${quarantine.usage}`);
  },
};

async function list(values: Values): Promise<void> {
  const wanted = select(values);
  const rejected = (await withReadOnlyPipeline(values, (pipeline) => pipeline.quarantined())).filter(wanted);
  const shown = values["all"] === true ? rejected : rejected.filter(({ isClosed }) => !isClosed);
  if (values.json) printJson(shown);
  else print(listText(shown, { resolved: rejected.length - shown.length, hasEvents: values["reason"] !== undefined }));
}

async function show(values: Values, name: string): Promise<void> {
  const rejected = await withReadOnlyPipeline(values, (pipeline) => pipeline.quarantined());
  const found = find(rejected, name);
  if (values.json) printJson(found);
  else for (const event of found) print(showText(event));
}

/** Matches the beginning of an id, a stream position, or an order id, which several events may share. */
function find(rejected: readonly QuarantinedOrder[], name: string): QuarantinedOrder[] {
  const found = rejected.filter(
    (event) =>
      event.orderId === name || eventPosition(event) === name || (name.length >= 4 && event.id.startsWith(name)),
  );
  if (found.length > 0) return found;
  throw new Error(`quarantined event ${name} does not exist: ./pizza quarantine list --all lists every event`);
}

function select(values: Values): (event: QuarantinedOrder) => boolean {
  const reason = oneOf(values, "reason", reasonNames);
  return (event) => reason === undefined || event.reason === reason;
}

async function resendCommand(values: Values, words: string[]): Promise<number> {
  const names = words.filter((word) => !word.includes("="));
  if (names.length > 0 === (values["reason"] !== undefined)) {
    throw new UsageError(`resend needs either event ids or --reason\nusage: ./pizza ${quarantine.usage}`);
  }
  const wanted = select(values);
  const correction = readCorrection(
    values,
    words.filter((word) => word.includes("=")),
  );
  const isDry = values["dry-run"] === true;
  const outcome = await withPipeline(values, async (pipeline, { isRunning }) => {
    const all = await pipeline.quarantined();
    const named = names.length > 0 ? names.flatMap((name) => find(all, name)) : all.filter(wanted);
    const chosen = [...new Set(named)].filter(({ isClosed }) => !isClosed);
    if ("event" in correction && chosen.length > 1) {
      throw new UsageError(`--file replaces one event, but ${chosen.length} are selected: give one id`);
    }
    const plans = await makePlans(pipeline, chosen, correction);
    const sendable = plans.filter(({ problem }) => problem === undefined);
    if (isDry || sendable.length === 0) return { plans, sent: [] };
    const sent = await resend(pipeline.sink, sendable);
    if (values["wait"] === true || !isRunning) await pipeline.drain();
    return { plans, sent: sent.map((position, index) => ({ id: sendable[index]!.rejected.id, ...position })) };
  });
  const left = outcome.plans.filter(({ problem }) => problem !== undefined).length;
  if (values.json) printJson(jsonOf(outcome, isDry));
  else if (outcome.plans.length > 0) print(plansText(outcome.plans));
  if (!values.json) say(closing(outcome, { isDry, left }));
  return left > 0 || outcome.plans.length === 0 ? 1 : 0;
}

/** If one correction applies to several events, those that it does not change are left out. */
async function makePlans(
  pipeline: Pipeline,
  chosen: readonly QuarantinedOrder[],
  correction: Correction,
): Promise<ResendPlan[]> {
  const rules = { catalog: loadCatalog(), now: Date.now() };
  const all = chosen.map((event) => planResend(event, correction, rules));
  const isRule = "edits" in correction && correction.edits.length > 0 && chosen.length > 1;
  const plans = isRule ? all.filter(({ changes }) => changes.length > 0) : all;
  const orders = ordersOf(plans);
  return judgeResends(plans, orders.length === 0 ? [] : await pipeline.heldOrders({ orders }));
}

function readCorrection(values: Values, words: readonly string[]): Correction {
  const { file } = values;
  if (typeof file !== "string") {
    try {
      return { edits: words.map(parseEdit) };
    } catch (error) {
      throw new UsageError((error as Error).message);
    }
  }
  if (words.length > 0) throw new UsageError("--file gives the whole event: remove the path=value edits");
  const text = readWhole(file);
  try {
    return { event: JSON.stringify(JSON.parse(text)) };
  } catch (cause) {
    throw new Error(`--file ${file} is not valid JSON: ${(cause as Error).message}`, { cause });
  }
}

function readWhole(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new Error(`--file ${file} cannot be read (${errorCode(cause)}): give a file with the event as JSON`, {
      cause,
    });
  }
}

interface Outcome {
  plans: ResendPlan[];
  sent: { id: string; shard: string; sequenceNumber: string }[];
}

function closing({ plans, sent }: Outcome, { isDry, left }: { isDry: boolean; left: number }): string {
  if (plans.length === 0) return "no open event is selected, or no edit changes one: see ./pizza quarantine list";
  const rejected = left > 0 ? `, ${left} would be rejected again and stay in quarantine` : "";
  if (isDry) return `nothing was sent: ${plans.length - left} would be sent${rejected}`;
  return `sent ${sent.length}${rejected}; an event is resolved once silver accepts its order: ./pizza quarantine list`;
}

function jsonOf({ plans, sent }: Outcome, dryRun: boolean) {
  const events = plans.map(({ rejected, changes, text, cents, problem }) => {
    const { id, reason, orderId } = rejected;
    const position = sent.find((resent) => resent.id === id);
    return {
      id,
      reason,
      orderId,
      cents,
      changes,
      problem: problem ?? null,
      payload: text ?? null,
      sentAs: position === undefined ? null : { shard: position.shard, sequenceNumber: position.sequenceNumber },
    };
  });
  return { dryRun, sent: sent.length, events };
}

/** Totals by reason, after a table of the events if one reason was given. */
function listText(
  rejected: readonly QuarantinedOrder[],
  { resolved, hasEvents }: { resolved: number; hasEvents: boolean },
): string {
  if (rejected.length === 0) return `no open events in the quarantine; ${count(resolved)} resolved`;
  const groups = Object.entries(Object.groupBy(rejected, ({ reason }) => reason));
  const rows = groups.map(([reason, events]) => ({ reason, ...summary(events) }));
  const open = rejected.filter(({ isClosed }) => !isClosed);
  return [
    ...(hasEvents ? [textTable(rejected.map(eventRow)), ""] : []),
    textTable(rows.toSorted((a, b) => b.open - a.open)),
    "",
    `${count(open.length)} open, quarantined amount ${money(sumOf(open))}${unreadable(open)}; ${count(resolved)} resolved and not shown`,
  ].join("\n");
}

function summary(events: readonly QuarantinedOrder[]) {
  const open = events.filter(({ isClosed }) => !isClosed);
  return {
    open: open.length,
    "quarantined amount": money(sumOf(open)),
    oldest: open.length === 0 ? "" : age(open[0]!.arrivedAt),
    newest: open.length === 0 ? "" : age(open.at(-1)!.arrivedAt),
  };
}

function eventRow({ id, arrivedAt, orderId, cents, isClosed, detail }: QuarantinedOrder) {
  return {
    id,
    age: age(arrivedAt),
    order_id: orderId,
    amount: cents === null ? "" : money(cents),
    state: isClosed ? "resolved" : "open",
    detail: detail.length > 70 ? `${detail.slice(0, 67)}...` : detail,
  };
}

/** One quarantined event with its payload, indented if it is JSON. */
function showText(event: QuarantinedOrder): string {
  const { id, reason, detail, orderId, storeId, orderDate, cents, silverRevision, isClosed, payload, payloadBase64 } =
    event;
  const rows: [string, string][] = [
    ["id", id],
    ["state", isClosed ? "resolved: the order arrived later" : "open"],
    ["reason", `${reason}: ${reasons[reason]}`],
    ["detail", detail],
    ["order", orderId ?? "unreadable"],
    ["store", storeId ?? "unreadable"],
    ["day", orderDate ?? "unreadable"],
    ["in silver", silverRevision === null ? "no" : `revision ${silverRevision}`],
    ["amount", cents === null ? "unreadable" : money(cents)],
    ["arrived", `${event.arrivedAt} (${age(event.arrivedAt)} ago)`],
    ["position", eventPosition(event)],
    ["bronze", event.bronzeKey],
    ["rejected", event.quarantinedAt],
  ];
  const bytes = payloadBase64 === null ? [] : ["", "exact bytes, base64:", payloadBase64];
  return [...rows.map(([name, value]) => `${name.padEnd(11)}${oneLine(value)}`), "", indented(payload), ...bytes].join(
    "\n",
  );
}

function indented(payload: string): string {
  try {
    return JSON.stringify(JSON.parse(payload), null, 2);
  } catch {
    return payload;
  }
}

/** One line per event that was or would be sent, and one per change. */
function plansText(plans: readonly ResendPlan[]): string {
  return plans
    .flatMap(({ rejected, changes, problem, cents }) => [
      [
        rejected.id,
        oneLine(rejected.orderId ?? "(no order id)"),
        cents === null ? "" : money(cents),
        problem === undefined ? paint("valid", "green") : paint(`rejected: ${oneLine(problem)}`, "red"),
      ].join("  "),
      ...changes.map(({ path, before, after }) => `    ${path}: ${valueText(before)} -> ${valueText(after)}`),
    ])
    .join("\n");
}

function valueText(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}

function sumOf(events: readonly QuarantinedOrder[]): number {
  return events.reduce((sum, { cents }) => sum + (cents ?? 0), 0);
}

function unreadable(events: readonly QuarantinedOrder[]): string {
  const unknown = events.filter(({ cents }) => cents === null).length;
  return unknown === 0 ? "" : ` without ${count(unknown)} events whose amount is unreadable`;
}

/** Time since a timestamp, in the largest fitting unit. */
function age(moment: string): string {
  const seconds = Math.max(0, (Date.now() - Date.parse(moment)) / 1000);
  const [size, unit] =
    seconds < 120 ? [1, "s"] : seconds < 7200 ? [60, "min"] : seconds < 172_800 ? [3600, "h"] : [86_400, "d"];
  return `${Math.floor(seconds / size)} ${unit}`;
}
