import { assumptions } from "../../lib/cost/assumptions.ts";
import { sizeOf } from "../../lib/cost/deployment-size.ts";
import { estimateCost, type CostEstimate } from "../../lib/cost/estimate-cost.ts";
import { naiveDesign } from "../../lib/cost/naive-usage.ts";
import { loadPrices, unknownTypes } from "../../lib/cost/price-table.ts";
import { hasTemplates, readTemplates, type Resource } from "../../lib/cost/templates.ts";
import { functionNames } from "../../lib/function-entries.ts";
import { wholeNumber, type Command, type Values } from "../options.ts";
import { count, endProgress, paint, print, printJson, progress, say, textTable, UsageError } from "../output.ts";

export const cost: Command = {
  summary: "estimate the monthly AWS cost of an environment, compared with a naive design",
  examples: ["cost --orders-per-day 100000", "cost --orders-per-day 5000 --env prod --json"],
  usage: "cost --orders-per-day N [--env prod] [--out DIR] [--json]",
  options: {
    "orders-per-day": { type: "string", about: "orders per day (required)" },
    out: {
      type: "string",
      about: "folder with synthesised templates, such as cdk.out (default: synthesise from lib/config.ts)",
    },
  },
  async run(values) {
    const ordersPerDay = wholeNumber(values, "orders-per-day", { min: 1, max: 1e12 });
    if (ordersPerDay === undefined) throw new UsageError(`--orders-per-day is required\nusage: ./pizza ${cost.usage}`);
    if (values.env === "localstack")
      throw new UsageError("--env localstack has no AWS cost: choose dev, staging or prod");
    const resources = await resourcesOf(values);
    const prices = loadPrices();
    const estimate = estimateCost({ size: sizeOf(resources, functionNames), prices }, ordersPerDay);
    const warnings = [
      ...estimate.warnings,
      ...unknownTypes(resources, prices).map((type) => `${type} has no known price and is not included`),
    ];
    if (values.json) printJson({ environment: values.env, ...estimate, warnings, naiveDesign, assumptions });
    else print(costText(values.env, estimate));
    if (!values.json) for (const warning of warnings) say(paint(warning, "red"));
  },
};

/** Resources of the templates in `--out`, or of templates synthesised for this estimate. */
async function resourcesOf({ env, out }: Values): Promise<Resource[]> {
  if (typeof out === "string") {
    if (!hasTemplates(out, env)) throw new Error(`${out} has no templates of ${env}: run make synth ENV=${env} first`);
    return readTemplates(out, env);
  }
  progress(`1 of 2 steps: loading the constructs`);
  const { synthesise } = await import("../../lib/cost/synthesise.ts");
  progress(`2 of 2 steps: synthesising the templates of ${env}`);
  try {
    return synthesise(env);
  } finally {
    endProgress();
  }
}

function costText(environment: string, estimate: CostEstimate): string {
  const { services, ordersPerDay, region, pricesOf } = estimate;
  const rows = services
    .toSorted((a, b) => b.usd - a.usd)
    .map(({ service, usd, idleUsd, naiveUsd }) => ({ service, usd, idleUsd, naiveUsd }));
  const total = { service: "total", usd: estimate.usd, idleUsd: estimate.idleUsd, naiveUsd: estimate.naiveUsd };
  return [
    `PIZZA COST: ${environment}, ${count(ordersPerDay)} orders per day, US dollars per month`,
    "",
    textTable(
      [...rows, total].map(({ service, usd, idleUsd, naiveUsd }) => ({
        service,
        "this design": dollars(usd),
        idle: dollars(idleUsd),
        "naive design": dollars(naiveUsd),
      })),
    ),
    "",
    `per million orders: ${dollars(estimate.usdPerMillionOrders)}; naive ${dollars(estimate.naiveUsdPerMillionOrders)}`,
    `${region} list prices of ${pricesOf}, excluding free tier and tax; --json shows quantities and assumptions`,
    "",
    "the naive design:",
    ...naiveDesign.map((sentence) => `- ${sentence}`),
  ].join("\n");
}

function dollars(usd: number): string {
  return usd.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}
