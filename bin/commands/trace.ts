import { print, printJson, say, UsageError } from "../output.ts";
import type { Command } from "../options.ts";
import { traceText } from "../trace-text.ts";
import { lakeSqlOption, lookAtHome } from "../with-home.ts";

export const trace: Command = {
  summary: "where an order is: its records, bronze objects, silver, the rows of gold, or why it was refused",
  usage: "trace <order_id> [--json] [--lake-sql athena|duckdb]",
  mostWords: 1,
  options: lakeSqlOption,
  async run(values, [orderId]) {
    if (orderId === undefined) throw new UsageError(`name one order\nusage: pizza ${trace.usage}`);
    const found = await lookAtHome(values, (home) => home.trace(orderId));
    const isThere = found.events.length > 0 || found.silver !== null;
    if (values.json) printJson(found);
    else if (isThere) print(traceText(found));
    if (!isThere)
      say(`no event of order ${orderId} is in bronze, silver or the quarantine; what has not landed is not seen`);
    return isThere ? 0 : 1;
  },
};
