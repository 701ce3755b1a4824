import type { Finding, Receipt, Sales } from "../pipeline/domain/receipt.ts";
import { count, money, oneLine, paint } from "./output.ts";

/** Of the columns, in characters. */
const widths = [34, 10, 10, 10, 10, 16];
const rule = "-".repeat(widths.reduce((sum, width) => sum + width, 0));

/** Formats the receipt as text. */
export function receiptTable(receipt: Receipt): string {
  const { records, events, findings, notes } = receipt;
  const quarantined = Object.entries(events.quarantined);
  const pendingDays = receipt.unpublishedDays.length;
  return [
    row("RECEIPT", "records", "events", "lines", "pizzas", "amount"),
    rule,
    row("sent to the stream", count(records.sent)),
    row("landed in bronze", count(records.landed)),
    ...when(records.onFailure, "  in the on-failure destination"),
    ...when(records.waiting, "  not yet landed"),
    ...when(records.setAside, "  in bronze objects set aside"),
    row("  transport duplicates", count(records.transportDuplicates)),
    row("distinct", count(records.distinct), count(events.distinct)),
    row("  accepted", "", count(events.accepted)),
    row("  event duplicates", "", count(events.eventDuplicates)),
    row("  superseded revisions", "", count(events.supersededRevisions)),
    row("  quarantined", "", count(quarantined.reduce((sum, [, events_]) => sum + events_, 0))),
    ...quarantined.map(([reason, events_]) => row(`    ${oneLine(reason)}`, "", count(events_))),
    ...(events.closed > 0 ? [row("  of these, resolved later", "", count(events.closed))] : []),
    row("  pending", "", count(events.pending)),
    rule,
    ...(receipt.notSales > 0 ? [row("accepted, cancelled or refunded", "", count(receipt.notSales))] : []),
    sales("sales in bronze", receipt.expected),
    sales("sales in silver", receipt.silver),
    sales("sales in gold", receipt.gold),
    ...(pendingDays > 0 ? [`days not yet published in gold: ${count(pendingDays)}`] : []),
    rule,
    verdict(receipt),
    ...findings.flatMap(linesOf),
    ...notes.flatMap(linesOf),
  ].join("\n");
}

function linesOf({ invariant, sentence, examples }: Finding): string[] {
  return [`  ${invariant}: ${oneLine(sentence)}`, ...examples.map((example) => `    ${oneLine(example)}`)];
}

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
