import { assumptions } from "../../lib/cost/assumptions.ts";
import { sizeOf } from "../../lib/cost/deployment-size.ts";
import { estimateCost, type CostEstimate } from "../../lib/cost/estimate-cost.ts";
import { naiveDesign } from "../../lib/cost/naive-usage.ts";
import { loadPrices, unknownTypes } from "../../lib/cost/price-table.ts";
import { hasTemplates, readTemplates, type Resource } from "../../lib/cost/templates.ts";
import { functionNames } from "../../lib/function-entries.ts";
import { count, paint, print, printJson, say, textTable, UsageError } from "../output.ts";
import { wholeNumber, type Command, type Values } from "../options.ts";

export const cost: Command = {
  summary: "what a deployed environment costs a month, per million orders and idle, beside a naive design",
  usage: "cost --orders-per-day N [--env prod] [--out DIR] [--json]",
  options: {
    "orders-per-day": { type: "string", about: "how many orders the tills send in a day" },
    out: {
      type: "string",
      about: "a folder with synthesised templates, such as cdk.out; else they are made from lib/config.ts",
    },
  },
  async run(values) {
    const ordersPerDay = wholeNumber(values, "orders-per-day", { min: 1, max: 1e12 });
    if (ordersPerDay === undefined) throw new UsageError(`say how many orders a day\nusage: ./pizza ${cost.usage}`);
    if (values.env === "localstack")
      throw new UsageError("--env localstack costs nothing: choose dev, staging or prod");
    const resources = await resourcesOf(values);
    const prices = loadPrices();
    const estimate = estimateCost({ size: sizeOf(resources, functionNames), prices }, ordersPerDay);
    const warnings = [
      ...estimate.warnings,
      ...unknownTypes(resources, prices).map((type) => `${type} has no price: left out`),
    ];
    if (values.json) printJson({ environment: values.env, ...estimate, warnings, naiveDesign, assumptions });
    else print(costText(values.env, estimate));
    if (!values.json) for (const warning of warnings) say(paint(warning, "red"));
  },
};

/** Of the templates in a folder; else of templates that are made for this. */
async function resourcesOf({ env, out }: Values): Promise<Resource[]> {
  if (typeof out === "string") {
    if (!hasTemplates(out, env))
      throw new Error(`${out} has no templates of ${env}: make synth ENV=${env} writes them`);
    return readTemplates(out, env);
  }
  const { synthesise } = await import("../../lib/cost/synthesise.ts");
  return synthesise(env);
}

function costText(environment: string, estimate: CostEstimate): string {
  const { services, ordersPerDay, region, pricesOf } = estimate;
  const rows = services
    .toSorted((a, b) => b.usd - a.usd)
    .map(({ service, usd, idleUsd, naiveUsd }) => ({ service, usd, idleUsd, naiveUsd }));
  const total = { service: "a month", usd: estimate.usd, idleUsd: estimate.idleUsd, naiveUsd: estimate.naiveUsd };
  return [
    `PIZZA COST: ${environment}, ${count(ordersPerDay)} orders a day, US dollars a month`,
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
    `list prices of ${region}, ${pricesOf}, without free tier and tax; --json shows quantities and assumptions`,
    "",
    "the naive design:",
    ...naiveDesign.map((sentence) => `- ${sentence}`),
  ].join("\n");
}

function dollars(usd: number): string {
  return usd.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}
