import type { Sales } from "../domain/receipt.ts";

const keys = ["orders", "lines", "pizzas", "cents"] as const;

/** Sales from a row of a query; what it does not have counts as none. */
export function readSales(row: Record<string, unknown>): Sales {
  const [orders, lines, pizzas, cents] = keys.map((key) => Number(row[key] ?? 0));
  return { orders: orders!, lines: lines!, pizzas: pizzas!, cents: cents! };
}

/** The sum of some sales. */
export function totalSales(days: Iterable<Sales>): Sales {
  const sum = { orders: 0, lines: 0, pizzas: 0, cents: 0 };
  for (const day of days) {
    for (const key of keys) sum[key] += day[key];
  }
  return sum;
}

/** Whether two sales are equal to the cent. */
export function isSameSales(a: Sales, b: Sales): boolean {
  return keys.every((key) => a[key] === b[key]);
}

/** Sales in words. */
export function showSales({ orders, lines, pizzas, cents }: Sales): string {
  return `${orders} orders, ${lines} lines, ${pizzas} pizzas, ${(cents / 100).toFixed(2)}`;
}
