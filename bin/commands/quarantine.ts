import { readFileSync } from "node:fs";
import { loadCatalog } from "../../adapters/project-files.ts";
import { parseEdit } from "../../pipeline/domain/edit-event.ts";
import { errorCode } from "../../pipeline/domain/errors.ts";
import { reasons } from "../../pipeline/domain/rejection-reasons.ts";
import { placeOf } from "../../pipeline/domain/stream-position.ts";
import type { QuarantinedOrder } from "../../pipeline/quarantine/list-quarantined.ts";
import {
  judgeResends,
  ordersOf,
  planResend,
  type Correction,
  type ResendPlan,
  resend,
} from "../../pipeline/quarantine/resend.ts";
import type { Pipeline } from "../../targets/operations.ts";
import { oneOf, type Command, type Values } from "../options.ts";
import { print, printJson, say, UsageError, count, money, paint, textTable } from "../output.ts";
import { lakeSqlOption, withReadOnlyPipeline, withPipeline } from "../with-target.ts";

const reasonNames = Object.keys(reasons) as (keyof typeof reasons)[];

export const quarantine: Command = {
  summary: "what silver refused: list it, show one event, correct it and send it again",
  usage:
    "quarantine list [--reason R] [--all] | show <id> | resend <id>... | resend --reason R  [path=value ...] [--file FILE] [--dry-run] [--wait]",
  mostWords: Infinity,
  options: {
    reason: { type: "string", about: "only what was refused for this reason" },
    all: { type: "boolean", about: "list: also what is closed, because the order came in since" },
    file: { type: "string", about: "resend: this file is the whole event, in place of the refused one" },
    "dry-run": {
      type: "boolean",
      about: "resend: say what would be sent and what silver would say to it, send nothing",
    },
    wait: { type: "boolean", about: "resend: wait until all is in gold" },
    ...lakeSqlOption,
  },
  async run(values, [action, ...words]) {
    if (action === "list" && words.length === 0) return await list(values);
    if (action === "show" && words.length === 1) return await show(values, words[0]!);
    if (action === "resend") return await resendCommand(values, words);
    throw new UsageError(`say what to do with the quarantine\nusage: ./pizza ${quarantine.usage}`);
  },
};

async function list(values: Values): Promise<void> {
  const wanted = select(values);
  const rejected = (await withReadOnlyPipeline(values, (pipeline) => pipeline.quarantined())).filter(wanted);
  const shown = values["all"] === true ? rejected : rejected.filter(({ isClosed }) => !isClosed);
  if (values.json) printJson(shown);
  else print(listText(shown, { closed: rejected.length - shown.length, hasEvents: values["reason"] !== undefined }));
}

async function show(values: Values, name: string): Promise<void> {
  const rejected = await withReadOnlyPipeline(values, (pipeline) => pipeline.quarantined());
  const found = find(rejected, name);
  if (values.json) printJson(found);
  else for (const event of found) print(showText(event));
}

/** By the beginning of an id, by a place in the stream, or by an order's id, which several events may bear. */
function find(rejected: readonly QuarantinedOrder[], name: string): QuarantinedOrder[] {
  const found = rejected.filter(
    (event) => event.orderId === name || placeOf(event) === name || (name.length >= 4 && event.id.startsWith(name)),
  );
  if (found.length > 0) return found;
  throw new Error(`nothing in the quarantine is named ${name}: ./pizza quarantine list --all names what there is`);
}

function select(values: Values): (event: QuarantinedOrder) => boolean {
  const reason = oneOf(values, "reason", reasonNames);
  return (event) => reason === undefined || event.reason === reason;
}

async function resendCommand(values: Values, words: string[]): Promise<number> {
  const names = words.filter((word) => !word.includes("="));
  if (names.length > 0 === (values["reason"] !== undefined)) {
    throw new UsageError(`name events by their ids, or give --reason\nusage: ./pizza ${quarantine.usage}`);
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
      throw new UsageError(`--file is one event, but ${chosen.length} refused ones are chosen: name one by its id`);
    }
    const plans = await makePlans(pipeline, chosen, correction);
    const sendable = plans.filter(({ problem }) => problem === undefined);
    if (isDry || sendable.length === 0) return { plans, sent: [] };
    const sent = await resend(pipeline.sink, sendable);
    if (values["wait"] === true || !isRunning) await pipeline.drain();
    return { plans, sent: sent.map((place, index) => ({ id: sendable[index]!.rejected.id, ...place })) };
  });
  const left = outcome.plans.filter(({ problem }) => problem !== undefined).length;
  if (values.json) printJson(jsonOf(outcome, isDry));
  else if (outcome.plans.length > 0) print(plansText(outcome.plans));
  if (!values.json) say(closing(outcome, { isDry, left }));
  return left > 0 || outcome.plans.length === 0 ? 1 : 0;
}

/** With a rule for many, events that it does not change are none of its business. */
async function makePlans(
  pipeline: Pipeline,
  chosen: readonly QuarantinedOrder[],
  correction: Correction,
): Promise<ResendPlan[]> {
  const judge = { catalog: loadCatalog(), now: Date.now() };
  const all = chosen.map((event) => planResend(event, correction, judge));
  const isRule = "edits" in correction && correction.edits.length > 0 && chosen.length > 1;
  const plans = isRule ? all.filter(({ changes }) => changes.length > 0) : all;
  const orders = ordersOf(plans);
  return judgeResends(plans, orders.length === 0 ? [] : await pipeline.heldOrders({ orderIds: orders }));
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
  if (words.length > 0) throw new UsageError("--file is the whole event: leave the edits out");
  const text = readWhole(file);
  try {
    return { event: JSON.stringify(JSON.parse(text)) };
  } catch (cause) {
    throw new Error(`${file} is no JSON: ${(cause as Error).message}`, { cause });
  }
}

function readWhole(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new Error(`--file ${file} cannot be read (${errorCode(cause)}): name a file that holds the event as JSON`, {
      cause,
    });
  }
}

interface Outcome {
  plans: ResendPlan[];
  sent: { id: string; shard: string; sequenceNumber: string }[];
}

function closing({ plans, sent }: Outcome, { isDry, left }: { isDry: boolean; left: number }): string {
  if (plans.length === 0) return "nothing open was chosen, or no edit changes any of it: ./pizza quarantine list";
  const rejected = left > 0 ? `, ${left} would be refused again and stay` : "";
  if (isDry) return `nothing was sent: ${plans.length - left} would be sent${rejected}`;
  return `sent ${sent.length}${rejected}; what was sent closes once silver has it: ./pizza quarantine list`;
}

function jsonOf({ plans, sent }: Outcome, dryRun: boolean) {
  const events = plans.map(({ rejected, changes, text, cents, problem }) => {
    const { id, reason, orderId } = rejected;
    const place = sent.find((resent) => resent.id === id);
    return {
      id,
      reason,
      orderId,
      cents,
      changes,
      problem: problem ?? null,
      payload: text ?? null,
      sentAs: place === undefined ? null : { shard: place.shard, sequenceNumber: place.sequenceNumber },
    };
  });
  return { dryRun, sent: sent.length, events };
}

/** The quarantine by reason; the events themselves where one reason was asked for. */
function listText(
  rejected: readonly QuarantinedOrder[],
  { closed, hasEvents }: { closed: number; hasEvents: boolean },
): string {
  if (rejected.length === 0) return `nothing is open in the quarantine; ${count(closed)} events are closed`;
  const groups = Object.entries(Object.groupBy(rejected, ({ reason }) => reason));
  const rows = groups.map(([reason, events]) => ({ reason, ...summary(events) }));
  const open = rejected.filter(({ isClosed }) => !isClosed);
  return [
    ...(hasEvents ? [textTable(rejected.map(eventRow)), ""] : []),
    textTable(rows.toSorted((a, b) => b.open - a.open)),
    "",
    `${count(open.length)} open, ${money(sumOf(open))} at stake${unreadable(open)}; ${count(closed)} closed and not shown`,
  ].join("\n");
}

function summary(events: readonly QuarantinedOrder[]) {
  const open = events.filter(({ isClosed }) => !isClosed);
  return {
    open: open.length,
    "money at stake": money(sumOf(open)),
    oldest: open.length === 0 ? "" : age(open[0]!.arrivedAt),
    newest: open.length === 0 ? "" : age(open.at(-1)!.arrivedAt),
  };
}

function eventRow({ id, arrivedAt, orderId, cents, isClosed, detail }: QuarantinedOrder) {
  const what = detail.length > 70 ? `${detail.slice(0, 67)}...` : detail;
  return {
    id,
    age: age(arrivedAt),
    order_id: orderId,
    money: cents === null ? "" : money(cents),
    state: isClosed ? "closed" : "open",
    detail: what,
  };
}

/** One refused event with its payload, indented where it is JSON. */
function showText(event: QuarantinedOrder): string {
  const { id, reason, detail, orderId, cents, silverRevision, isClosed, payload, payloadBase64 } = event;
  const rows: [string, string][] = [
    ["id", id],
    ["state", isClosed ? "closed: the order came in since" : "open"],
    ["reason", `${reason}: ${reasons[reason]}`],
    ["detail", detail],
    ["order", orderId ?? "cannot be read"],
    ["in silver", silverRevision === null ? "no" : `revision ${silverRevision}`],
    ["money", cents === null ? "cannot be read" : money(cents)],
    ["arrived", `${event.arrivedAt} (${age(event.arrivedAt)} ago)`],
    ["place", placeOf(event)],
    ["bronze", event.bronzeKey],
    ["refused", event.quarantinedAt],
  ];
  const bytes = payloadBase64 === null ? [] : ["", "exact bytes, base64:", payloadBase64];
  return [...rows.map(([name, value]) => `${name.padEnd(11)}${value}`), "", indented(payload), ...bytes].join("\n");
}

function indented(payload: string): string {
  try {
    return JSON.stringify(JSON.parse(payload), null, 2);
  } catch {
    return payload;
  }
}

/** What was or would be sent, one line an event and one for each change. */
function plansText(plans: readonly ResendPlan[]): string {
  return plans
    .flatMap(({ rejected, changes, problem, cents }) => [
      [
        rejected.id,
        rejected.orderId ?? "(no order id)",
        cents === null ? "" : money(cents),
        problem === undefined ? paint("valid", "green") : paint(`refused: ${problem}`, "red"),
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
  return unknown === 0 ? "" : `, and what ${count(unknown)} unreadable events are worth`;
}

/** Time since a moment, in the unit that fits. */
function age(moment: string): string {
  const seconds = Math.max(0, (Date.now() - Date.parse(moment)) / 1000);
  const [size, unit] =
    seconds < 120 ? [1, "s"] : seconds < 7200 ? [60, "min"] : seconds < 172_800 ? [3600, "h"] : [86_400, "d"];
  return `${Math.floor(seconds / size)} ${unit}`;
}
