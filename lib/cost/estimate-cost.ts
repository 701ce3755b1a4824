import { hoursAMonth, type DeploymentSize } from "./deployment-size.ts";
import { naiveUsage } from "./naive-usage.ts";
import { billOf, type Bill, type PriceTable } from "./price-table.ts";
import { receiptDays, usageOf } from "./usage.ts";

export interface CostEstimate {
  ordersPerDay: number;
  region: string;
  pricesOf: string;
  /** Dollars per month by service: this design, this design without orders, and the naive design. */
  services: { service: string; usd: number; idleUsd: number; naiveUsd: number }[];
  usd: number;
  idleUsd: number;
  naiveUsd: number;
  usdPerMillionOrders: number;
  naiveUsdPerMillionOrders: number;
  /** Limits of the deployment that these orders exceed. */
  warnings: string[];
  bill: Bill;
  naiveBill: Bill;
}

/** Monthly cost with this number of orders per day, without orders, and in the naive design. */
export function estimateCost(
  { size, prices }: { size: DeploymentSize; prices: PriceTable },
  ordersPerDay: number,
): CostEstimate {
  const { usage, traffic } = usageOf(size, ordersPerDay);
  const [bill, idle] = [billOf(usage, prices), billOf(usageOf(size, 0).usage, prices)];
  const naiveBill = billOf(naiveUsage(size, ordersPerDay), prices);
  const millions = (ordersPerDay * (hoursAMonth / 24)) / 1e6;
  const names = [...new Set([bill, idle, naiveBill].flatMap(({ lines }) => lines.map(({ service }) => service)))];
  return {
    ordersPerDay,
    region: prices.region,
    pricesOf: prices.date,
    services: names.map((service) => ({
      service,
      usd: totalOf(bill, service),
      idleUsd: totalOf(idle, service),
      naiveUsd: totalOf(naiveBill, service),
    })),
    usd: bill.usd,
    idleUsd: idle.usd,
    naiveUsd: naiveBill.usd,
    usdPerMillionOrders: bill.usd / millions,
    naiveUsdPerMillionOrders: naiveBill.usd / millions,
    warnings: shortages(size, traffic.shardsWanted, ordersPerDay),
    bill,
    naiveBill,
  };
}

function totalOf({ lines }: Bill, service: string): number {
  return lines.reduce((sum, line) => sum + (line.service === service ? line.usd : 0), 0);
}

function shortages(size: DeploymentSize, shardsWanted: number, ordersPerDay: number): string[] {
  const { shards } = size.stream;
  const warnings = [];
  if (shards !== "on-demand" && shardsWanted > shards) {
    warnings.push(
      `the busiest minute needs ${shardsWanted} shards, but the template has ${shards}: raise stream.shards in lib/config.ts`,
    );
  }
  const days = receiptDays(size, ordersPerDay);
  if (days < 365) {
    const history = days < 1 ? "less than a day" : `only about ${Math.floor(days)} days`;
    warnings.push(`VerifyReceipt can reconcile ${history} of history: see docs/scale.md`);
  }
  return warnings;
}
