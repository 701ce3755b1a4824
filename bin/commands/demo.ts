import { toOutgoing } from "../../producer/batch-builder.ts";
import {
  dataDirectory,
  readPipelineRecord,
  rejectForeignFolder,
  removeDataDirectory,
  runningProcess,
} from "../../targets/local/data-directory.ts";
import type { Pipeline } from "../../targets/operations.ts";
import type { Command } from "../options.ts";
import { count, money, paint, print, printJson, say } from "../output.ts";
import { receiptTable } from "../receipt-table.ts";
import { classicYear, send } from "./send.ts";

export const demo: Command = {
  summary: "create a new local pipeline, replay the classic year, and print key figures and the receipt",
  examples: ["demo", "demo --dir /tmp/pizza"],
  usage: "demo [--json] [--dir DIR]",
  localOnly: {
    aws: () => "./pizza replay classic --wait sends the same orders and ./pizza verify prints the receipt",
    localstack: "make demo ENV=localstack sends the classic week and ./pizza replay classic --wait the whole year",
  },
  async run(values) {
    const started = Date.now();
    removeEarlierDemo(values.dir);
    say(`creating a local pipeline in ${dataDirectory(values.dir).root}`);
    const { openLocalPipeline } = await import("../../targets/local/open.ts");
    const pipeline = await openLocalPipeline({ dir: values.dir, madeBy: "demo", isEarly: true });
    try {
      say("replaying the classic year: tills -> stream -> bronze -> silver -> gold");
      const sent = await send(
        pipeline.sink,
        () => [...classicYear()].values().map((event) => toOutgoing(event)),
        values,
        {
          isPaced: false,
        },
      );
      await pipeline.drain();
      const figures = await keyFigures(pipeline);
      const receipt = await pipeline.verify();
      const seconds = (Date.now() - started) / 1000;
      const balanced = receipt.findings.length === 0;
      if (values.json) printJson({ balanced, seconds, sent, figures, receipt });
      else print([figuresText(figures), "", receiptTable(receipt), ""].join("\n"));
      if (!values.json) say(closing(seconds));
      return balanced ? 0 : 3;
    } finally {
      await pipeline.close();
    }
  },
};

/** Deletes the data directory only if an earlier demo created it. */
function removeEarlierDemo(dir: string): void {
  const folder = dataDirectory(dir);
  const running = runningProcess(folder);
  if (running !== undefined) {
    throw new Error(
      `${folder.root} has a running local pipeline (process ${running.pid}): run ./pizza stop, or give another --dir`,
    );
  }
  const record = readPipelineRecord(folder);
  if (record !== undefined && record.madeBy !== "demo") {
    throw new Error(
      `${folder.root} holds a local pipeline that the demo did not create: give another --dir, or run ./pizza clean`,
    );
  }
  rejectForeignFolder(folder);
  if (record !== undefined) removeDataDirectory(folder);
}

interface KeyFigures {
  days: number;
  orders: number;
  lines: number;
  pizzas: number;
  revenueCents: number;
  marginPct: number;
  ordersPerDay: number;
  averageOrderCents: number;
  bestPizza: string;
  bestDay: string;
  peakHour: string;
}

async function keyFigures(pipeline: Pipeline): Promise<KeyFigures> {
  const one = async (sql: string) => (await pipeline.query({ sql }))[0]!;
  const year = await one(
    `select count(*) as days, sum(orders) as orders, sum(order_lines) as lines, sum(pizzas) as pizzas,
         sum(revenue) as revenue, round(100 * sum(margin) / sum(revenue), 1) as margin_pct
     from gold.daily_sales_summary`,
  );
  const pizza = await one(
    `select min(name) as name, sum(revenue) as revenue
     from gold.pizza_performance group by pizza_type_id order by revenue desc, name limit 1`,
  );
  const day = await one(
    `select order_date::text as day, orders, revenue from gold.daily_sales_summary order by revenue desc, 1 limit 1`,
  );
  const hour = await one(
    `select hour, sum(orders) as orders from gold.hourly_trends group by hour order by orders desc, hour limit 1`,
  );
  const [days, orders] = [Number(year["days"]), Number(year["orders"])];
  const revenueCents = cents(year["revenue"]);
  return {
    days,
    orders,
    lines: Number(year["lines"]),
    pizzas: Number(year["pizzas"]),
    revenueCents,
    marginPct: Number(year["margin_pct"]),
    ordersPerDay: Math.round((10 * orders) / days) / 10,
    averageOrderCents: Math.round(revenueCents / orders),
    bestPizza: `${String(pizza["name"])}, ${money(cents(pizza["revenue"]))}`,
    bestDay: `${String(day["day"])}, ${count(Number(day["orders"]))} orders, ${money(cents(day["revenue"]))}`,
    peakHour: `${String(hour["hour"])}:00, ${count(Number(hour["orders"]))} orders`,
  };
}

/** Converts PostgreSQL's numeric, which arrives as text, without passing through a fractional float. */
function cents(text: unknown): number {
  return Number(String(text).replace(".", ""));
}

function figuresText(figures: KeyFigures): string {
  const rows: [string, string][] = [
    ["orders", count(figures.orders)],
    ["order lines", count(figures.lines)],
    ["pizzas", count(figures.pizzas)],
    ["revenue", money(figures.revenueCents)],
    ["margin", `${figures.marginPct} % (costs are invented)`],
    ["average order", money(figures.averageOrderCents)],
    ["orders per day", `${figures.ordersPerDay} on ${figures.days} open days`],
    ["best pizza", figures.bestPizza],
    ["best day", figures.bestDay],
    ["peak hour", figures.peakHour],
  ];
  return [
    paint("THE CLASSIC YEAR, IN GOLD", "bold"),
    ...rows.map(([name, value]) => `${name.padEnd(15)}${value}`),
  ].join("\n");
}

function closing(seconds: number): string {
  return [
    `done in ${seconds.toFixed(1)} s. The local pipeline is kept; try:`,
    "  ./pizza console                          (a web page: every number down to the bytes of its orders)",
    '  ./pizza query "select * from gold.daily_sales_summary order by revenue desc limit 5"',
    "  ./pizza start && ./pizza credentials     (psql, DBeaver, Power BI)",
    "  ./pizza produce --rate 50 --orders 1000  (more orders), ./pizza status, ./pizza verify",
  ].join("\n");
}
