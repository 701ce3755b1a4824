import { reasons } from "../lambdas/domain/reasons.ts";
import { placeOf } from "../lambdas/domain/resent.ts";
import type { RefusedOrder } from "../lambdas/quarantine/list-refused.ts";
import type { ResendPlan } from "../lambdas/quarantine/plan-resend.ts";
import { count, money, paint, table } from "./output.ts";

/** The quarantine by reason; the events themselves where one reason was asked for. */
export function listText(
  refused: readonly RefusedOrder[],
  { closed, hasEvents }: { closed: number; hasEvents: boolean },
): string {
  if (refused.length === 0) return `nothing is open in the quarantine; ${count(closed)} events are closed`;
  const groups = Object.entries(Object.groupBy(refused, ({ reason }) => reason));
  const rows = groups.map(([reason, events]) => ({ reason, ...summary(events) }));
  const open = refused.filter(({ isClosed }) => !isClosed);
  return [
    ...(hasEvents ? [table(refused.map(eventRow)), ""] : []),
    table(rows.toSorted((a, b) => b.open - a.open)),
    "",
    `${count(open.length)} open, ${money(sumOf(open))} at stake${unreadable(open)}; ${count(closed)} closed and not shown`,
  ].join("\n");
}

function summary(events: readonly RefusedOrder[]) {
  const open = events.filter(({ isClosed }) => !isClosed);
  return {
    open: open.length,
    "money at stake": money(sumOf(open)),
    oldest: open.length === 0 ? "" : age(open[0]!.arrivedAt),
    newest: open.length === 0 ? "" : age(open.at(-1)!.arrivedAt),
  };
}

function eventRow({ id, arrivedAt, orderId, cents, isClosed, detail }: RefusedOrder) {
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
export function showText(event: RefusedOrder): string {
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
export function plansText(plans: readonly ResendPlan[]): string {
  return plans
    .flatMap(({ refused, changes, problem, cents }) => [
      [
        refused.id,
        refused.orderId ?? "(no order id)",
        cents === null ? "" : money(cents),
        problem === undefined ? paint("valid", "green") : paint(`refused: ${problem}`, "red"),
      ].join("  "),
      ...changes.map(({ path, before, after }) => `    ${path}: ${shown(before)} -> ${shown(after)}`),
    ])
    .join("\n");
}

function shown(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}

function sumOf(events: readonly RefusedOrder[]): number {
  return events.reduce((sum, { cents }) => sum + (cents ?? 0), 0);
}

function unreadable(events: readonly RefusedOrder[]): string {
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
