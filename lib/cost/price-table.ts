import { readProjectJson } from "../../adapters/project-files.ts";
import type { Resource } from "./templates.ts";

/** What one thing costs: `usd` dollars for `per` units. */
export interface Price {
  service: string;
  usd: number;
  per: number;
  unit: string;
  source: string;
  /** When it was written down. */
  date: string;
  /** Whether another published source said the same then. */
  checked: boolean;
}

/** Prices by id, and what each type of resource costs: prices, or nothing for a reason. */
export interface PriceTable {
  region: string;
  date: string;
  prices: Record<string, Price>;
  resources: Record<string, { prices: string[] } | { free: string }>;
}

/** Quantities in a month, by the id of their price. */
export type Usage = Record<string, number>;

export interface BillLine {
  service: string;
  price: string;
  quantity: number;
  unit: string;
  usd: number;
}

export interface Bill {
  lines: BillLine[];
  /** Dollars a month. */
  usd: number;
}

/** The price table of the project. */
export function loadPrices(): PriceTable {
  return readProjectJson<PriceTable>("data/prices-us-east-1.json");
}

/** Multiplies quantities with prices; a quantity without a price is an error. */
export function billOf(usage: Usage, { prices }: PriceTable): Bill {
  const lines = Object.entries(usage).map(([id, quantity]) => {
    const price = prices[id];
    if (price === undefined)
      throw new Error(`price ${id}: not in the price table; add it to data/prices-us-east-1.json`);
    return { service: price.service, price: id, quantity, unit: price.unit, usd: (quantity / price.per) * price.usd };
  });
  return { lines, usd: lines.reduce((sum, { usd }) => sum + usd, 0) };
}

/** Types of resources that the table neither prices nor names as free. */
export function unknownTypes(resources: readonly Resource[], table: PriceTable): string[] {
  const types = new Set(resources.map(({ type }) => type));
  return [...types].filter((type) => table.resources[type] === undefined).toSorted();
}
