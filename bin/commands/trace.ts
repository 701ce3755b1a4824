import type { OrderTrace, TracedEvent } from "../../pipeline/trace/trace-order.ts";
import type { Command } from "../options.ts";
import { money, oneLine, paint, print, printJson, say, textTable, UsageError } from "../output.ts";
import { lakeSqlOption, withReadOnlyPipeline } from "../with-target.ts";

export const trace: Command = {
  summary: "show where an order id is in the stream, bronze, silver and gold, or why it was rejected",
  examples: ["trace 2015-000001", "trace 2015-000001 --json"],
  usage: "trace <order_id> [--json] [--lake-sql athena|duckdb]",
  mostWords: 1,
  options: lakeSqlOption,
  async run(values, [orderId]) {
    if (orderId === undefined) throw new UsageError(`no order given\nusage: ./pizza ${trace.usage}`);
    const found = await withReadOnlyPipeline(values, (pipeline) => pipeline.trace({ orderId }));
    const isThere = found.length > 0;
    if (values.json) printJson(found);
    else if (isThere) print(found.map(traceText).join("\n\n"));
    if (!isThere)
      say(
        `order ${orderId} is not in bronze, silver or the quarantine; events that have not landed yet are not searched`,
      );
    return isThere ? 0 : 1;
  },
};

/** Formats a trace as text, layer by layer. */
function traceText({ orderId, storeId, orderDate, events, silver, gold, window }: OrderTrace): string {
  return [
    paint(
      `ORDER ${oneLine(orderId)} of ${oneLine(storeId ?? "an unreadable store")}, ${orderDate ?? "day unreadable"}`,
      "bold",
    ),
    ...events.flatMap(eventText),
    "",
    ...silverText(silver),
    "",
    ...goldText({ silver, gold, window }),
  ].join("\n");
}

function eventText(event: TracedEvent): string[] {
  const { shard, sequenceNumber, recordIndex, revision, status, outcome, refused, corrects } = event;
  const name = revision === null ? "unreadable event" : `revision ${revision}, ${status}`;
  const isOpen = refused !== null && !refused.isClosed;
  const resolution = refused === null ? "" : isOpen ? ", open" : ", resolved: the order arrived later";
  const taken =
    event.silverVersion === null ? [] : [`  silver     read by version ${event.silverVersion}, ${event.committedAt}`];
  return [
    "",
    `${name}: ${paint(outcome + resolution, isOpen || outcome === "lost" ? "red" : "green")}`,
    ...(refused === null ? [] : [`  rejected   ${refused.reason}: ${oneLine(refused.detail)}`]),
    ...(corrects === null ? [] : [`  corrects   ${corrects}`]),
    `  stream     ${shard}, sequence number ${sequenceNumber}, index ${recordIndex}, arrived ${event.arrivedAt}`,
    ...event.bronzeKeys.map((key) => `  bronze     ${key}`),
    ...taken,
  ];
}

function silverText(silver: OrderTrace["silver"]): string[] {
  if (silver === null) return ["SILVER     does not contain the order"];
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
  if (silver === null) return ["GOLD       does not contain the order"];
  if (window === null) return ["GOLD       has not published its day yet"];
  const shown = `GOLD       shows ${silver.orderDate} at silver version ${window.silverVersion}, published ${window.publishedAt}`;
  if (gold.length === 0) return [shown, `  ${silver.status}: not a sale, counted in no row`];
  const rows = gold.map(({ table: name, key, revenue, publishedAt }) => ({
    table: name,
    key,
    revenue,
    published: publishedAt,
  }));
  return [shown, textTable(rows)];
}
