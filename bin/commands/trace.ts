import type { OrderTrace, TracedEvent } from "../../pipeline/trace/trace-order.ts";
import type { Command } from "../options.ts";
import { print, printJson, say, UsageError, money, paint, textTable } from "../output.ts";
import { lakeSqlOption, withReadOnlyPipeline } from "../with-target.ts";

export const trace: Command = {
  summary: "where an order is: its records, bronze objects, silver, the rows of gold, or why it was refused",
  usage: "trace <order_id> [--json] [--lake-sql athena|duckdb]",
  mostWords: 1,
  options: lakeSqlOption,
  async run(values, [orderId]) {
    if (orderId === undefined) throw new UsageError(`name one order\nusage: ./pizza ${trace.usage}`);
    const found = await withReadOnlyPipeline(values, (pipeline) => pipeline.trace({ orderId }));
    const isThere = found.events.length > 0 || found.silver !== null;
    if (values.json) printJson(found);
    else if (isThere) print(traceText(found));
    if (!isThere)
      say(`no event of order ${orderId} is in bronze, silver or the quarantine; what has not landed is not seen`);
    return isThere ? 0 : 1;
  },
};

/** A trace as people read it, layer by layer. */
function traceText({ orderId, events, silver, gold, window }: OrderTrace): string {
  return [
    paint(`ORDER ${orderId}`, "bold"),
    ...events.flatMap(eventText),
    "",
    ...silverText(silver),
    "",
    ...goldText({ silver, gold, window }),
  ].join("\n");
}

function eventText(event: TracedEvent): string[] {
  const { shard, sequenceNumber, recordIndex, revision, status, outcome, refused, corrects } = event;
  const name = revision === null ? "event that cannot be read" : `revision ${revision}, ${status}`;
  const isOpen = refused !== null && !refused.isClosed;
  const closed = refused === null ? "" : isOpen ? ", open" : ", closed: the order came in since";
  const taken =
    event.silverVersion === null ? [] : [`  silver     taken by version ${event.silverVersion}, ${event.committedAt}`];
  return [
    "",
    `${name}: ${paint(outcome + closed, isOpen || outcome === "lost" ? "red" : "green")}`,
    ...(refused === null ? [] : [`  refused    ${refused.reason}: ${refused.detail}`]),
    ...(corrects === null ? [] : [`  corrects   ${corrects}`]),
    `  stream     ${shard}, sequence number ${sequenceNumber}, index ${recordIndex}, arrived ${event.arrivedAt}`,
    ...event.bronzeKeys.map((key) => `  bronze     ${key}`),
    ...taken,
  ];
}

function silverText(silver: OrderTrace["silver"]): string[] {
  if (silver === null) return ["SILVER     does not hold the order"];
  const { orderDate, revision, status, file, fileVersion, lines } = silver;
  const cents = lines.reduce((sum, line) => sum + line.revenueCents, 0);
  const since = fileVersion === null ? "" : `, in the table since version ${fileVersion}`;
  return [
    `SILVER     ${orderDate}, revision ${revision}, ${status}: ${lines.length} lines, ${money(cents)}`,
    `  file     ${file}${since}`,
    ...lines.map(
      ({ lineNo, pizzaId, quantity, revenueCents }) =>
        `  line ${lineNo}   ${quantity} x ${pizzaId}, ${money(revenueCents)}`,
    ),
  ];
}

function goldText({ silver, gold, window }: Pick<OrderTrace, "silver" | "gold" | "window">): string[] {
  if (silver === null) return ["GOLD       does not show the order"];
  if (window === null) return ["GOLD       has not published its day yet"];
  const shown = `GOLD       shows ${silver.orderDate} at silver version ${window.silverVersion}, published ${window.publishedAt}`;
  if (gold.length === 0) return [shown, `  ${silver.status}: it is no sale, and counts in no row`];
  const rows = gold.map(({ table: name, key, revenue, publishedAt }) => ({
    table: name,
    key,
    revenue,
    published: publishedAt,
  }));
  return [shown, textTable(rows)];
}
