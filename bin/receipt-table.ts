import type { Finding, Receipt, Sales } from "../pipeline/domain/receipt.ts";
import { count, money, paint } from "./output.ts";

const widths = [34, 10, 10, 10, 10, 16];

/** The receipt as people read it. */
export function receiptTable(receipt: Receipt): string {
  const { records, events, findings, notes } = receipt;
  const quarantined = Object.entries(events.quarantined);
  const pendingDays = receipt.unpublishedDays.length;
  return [
    row("RECEIPT", "records", "events", "lines", "pizzas", "money"),
    rule,
    row("sent to the stream", count(records.sent)),
    row("landed in bronze", count(records.landed)),
    ...when(records.onFailure, "  kept in the on-failure store"),
    ...when(records.waiting, "  on their way to bronze"),
    row("  transport duplicates", count(records.transportDuplicates)),
    row("distinct", count(records.distinct), count(events.distinct)),
    row("  accepted", "", count(events.accepted)),
    row("  event duplicates", "", count(events.eventDuplicates)),
    row("  superseded revisions", "", count(events.supersededRevisions)),
    row("  quarantined", "", count(quarantined.reduce((sum, [, events_]) => sum + events_, 0))),
    ...quarantined.map(([reason, events_]) => row(`    ${reason}`, "", count(events_))),
    ...(events.closed > 0 ? [row("  of these closed by a later order", "", count(events.closed))] : []),
    row("  pending", "", count(events.pending)),
    rule,
    ...(receipt.notSales > 0 ? [row("accepted, cancelled or refunded", "", count(receipt.notSales))] : []),
    sales("bronze says", receipt.expected),
    sales("silver holds", receipt.silver),
    sales("gold shows", receipt.gold),
    ...(pendingDays > 0 ? [`days that gold has yet to publish: ${count(pendingDays)}`] : []),
    rule,
    verdict(receipt),
    ...findings.flatMap(linesOf),
    ...notes.flatMap(linesOf),
  ].join("\n");
}

function linesOf({ invariant, sentence, examples }: Finding): string[] {
  return [`  ${invariant}: ${sentence}`, ...examples.map((example) => `    ${example}`)];
}

const rule = "-".repeat(widths.reduce((sum, width) => sum + width, 0));

function row(label: string, ...cells: string[]): string {
  return [label.padEnd(widths[0]!), ...cells.map((text, i) => text.padStart(widths[i + 1]!))].join("").trimEnd();
}

function when(records: number, label: string): string[] {
  return records > 0 ? [row(label, count(records))] : [];
}

function sales(label: string, { orders, lines, pizzas, cents }: Sales): string {
  return row(label, "", count(orders), count(lines), count(pizzas), money(cents));
}

function verdict({ findings, producers }: Receipt): string {
  if (findings.length === 0)
    return paint(`BALANCED: every order is counted once, to the cent (${producers} tills).`, "green");
  return paint("DOES NOT BALANCE:", "red");
}
