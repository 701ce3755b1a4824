import { readFileSync } from "node:fs";
import { errorCode } from "../../lambdas/adapters/error-code.ts";
import { loadCatalog } from "../../lambdas/adapters/project-files.ts";
import { parseEdit } from "../../lambdas/domain/edit-event.ts";
import { reasons } from "../../lambdas/domain/reasons.ts";
import { placeOf } from "../../lambdas/domain/resent.ts";
import type { RefusedOrder } from "../../lambdas/quarantine/list-refused.ts";
import { judgeResends, ordersOf } from "../../lambdas/quarantine/judge-resends.ts";
import { planResend, type Correction, type ResendPlan } from "../../lambdas/quarantine/plan-resend.ts";
import { resend } from "../../lambdas/quarantine/resend.ts";
import type { Home } from "../../local/home-api.ts";
import { print, printJson, say, UsageError } from "../output.ts";
import { oneOf, type Command, type Values } from "../options.ts";
import { listText, plansText, showText } from "../quarantine-text.ts";
import { lakeSqlOption, lookAtHome, withHome } from "../with-home.ts";

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
    throw new UsageError(`say what to do with the quarantine\nusage: pizza ${quarantine.usage}`);
  },
};

async function list(values: Values): Promise<void> {
  const wanted = select(values);
  const refused = (await lookAtHome(values, (home) => home.refused())).filter(wanted);
  const shown = values["all"] === true ? refused : refused.filter(({ isClosed }) => !isClosed);
  if (values.json) printJson(shown);
  else print(listText(shown, { closed: refused.length - shown.length, hasEvents: values["reason"] !== undefined }));
}

async function show(values: Values, name: string): Promise<void> {
  const refused = await lookAtHome(values, (home) => home.refused());
  const found = find(refused, name);
  if (values.json) printJson(found);
  else for (const event of found) print(showText(event));
}

/** By the beginning of an id, by a place in the stream, or by an order's id, which several events may bear. */
function find(refused: readonly RefusedOrder[], name: string): RefusedOrder[] {
  const found = refused.filter(
    (event) => event.orderId === name || placeOf(event) === name || (name.length >= 4 && event.id.startsWith(name)),
  );
  if (found.length > 0) return found;
  throw new Error(`nothing in the quarantine is named ${name}: pizza quarantine list --all names what there is`);
}

function select(values: Values): (event: RefusedOrder) => boolean {
  const reason = oneOf(values, "reason", reasonNames);
  return (event) => reason === undefined || event.reason === reason;
}

async function resendCommand(values: Values, words: string[]): Promise<number> {
  const names = words.filter((word) => !word.includes("="));
  if (names.length > 0 === (values["reason"] !== undefined)) {
    throw new UsageError(`name events by their ids, or give --reason\nusage: pizza ${quarantine.usage}`);
  }
  const wanted = select(values);
  const correction = readCorrection(
    values,
    words.filter((word) => word.includes("=")),
  );
  const isDry = values["dry-run"] === true;
  const outcome = await withHome(values, async (home, { isRunning }) => {
    const all = await home.refused();
    const named = names.length > 0 ? names.flatMap((name) => find(all, name)) : all.filter(wanted);
    const chosen = [...new Set(named)].filter(({ isClosed }) => !isClosed);
    if ("event" in correction && chosen.length > 1) {
      throw new UsageError(`--file is one event, but ${chosen.length} refused ones are chosen: name one by its id`);
    }
    const plans = await makePlans(home, chosen, correction);
    const sendable = plans.filter(({ problem }) => problem === undefined);
    if (isDry || sendable.length === 0) return { plans, sent: [] };
    const sent = await resend(home.sink, sendable);
    if (values["wait"] === true || !isRunning) await home.drain();
    return { plans, sent: sent.map((place, index) => ({ id: sendable[index]!.refused.id, ...place })) };
  });
  const left = outcome.plans.filter(({ problem }) => problem !== undefined).length;
  if (values.json) printJson(jsonOf(outcome, isDry));
  else if (outcome.plans.length > 0) print(plansText(outcome.plans));
  if (!values.json) say(closing(outcome, { isDry, left }));
  return left > 0 || outcome.plans.length === 0 ? 1 : 0;
}

/** With a rule for many, events that it does not change are none of its business. */
async function makePlans(home: Home, chosen: readonly RefusedOrder[], correction: Correction): Promise<ResendPlan[]> {
  const judge = { catalog: loadCatalog(), now: Date.now() };
  const all = chosen.map((event) => planResend(event, correction, judge));
  const isRule = "edits" in correction && correction.edits.length > 0 && chosen.length > 1;
  const plans = isRule ? all.filter(({ changes }) => changes.length > 0) : all;
  const orders = ordersOf(plans);
  return judgeResends(plans, orders.length === 0 ? [] : await home.heldOrders(orders));
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
  if (plans.length === 0) return "nothing open was chosen, or no edit changes any of it: pizza quarantine list";
  const refused = left > 0 ? `, ${left} would be refused again and stay` : "";
  if (isDry) return `nothing was sent: ${plans.length - left} would be sent${refused}`;
  return `sent ${sent.length}${refused}; what was sent closes once silver has it: pizza quarantine list`;
}

function jsonOf({ plans, sent }: Outcome, dryRun: boolean) {
  const events = plans.map(({ refused, changes, text, cents, problem }) => {
    const { id, reason, orderId } = refused;
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
