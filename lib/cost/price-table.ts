import { readProjectJson } from "../../adapters/project-files.ts";
import type { Resource } from "./templates.ts";

/** A price: `usd` dollars per `per` units. */
export interface Price {
  service: string;
  usd: number;
  per: number;
  unit: string;
  source: string;
  /** Date of the price. */
  date: string;
  /** Whether a second published source confirmed it. */
  checked: boolean;
}

/** Prices by id, and for each resource type its prices, or why it is free. */
export interface PriceTable {
  region: string;
  date: string;
  prices: Record<string, Price>;
  resources: Record<string, { prices: string[] } | { free: string }>;
}

/** Quantities per month by price id. */
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
  /** Dollars per month. */
  usd: number;
}

/** Loads the project's price table. */
export function loadPrices(): PriceTable {
  return readProjectJson<PriceTable>("data/prices-us-east-1.json");
}

/** Multiplies quantities by prices; throws if a quantity has no price. */
export function billOf(usage: Usage, { prices }: PriceTable): Bill {
  const lines = Object.entries(usage).map(([id, quantity]) => {
    const price = prices[id];
    if (price === undefined)
      throw new Error(`price ${id} is not in the price table: add it to data/prices-us-east-1.json`);
    return { service: price.service, price: id, quantity, unit: price.unit, usd: (quantity / price.per) * price.usd };
  });
  return { lines, usd: lines.reduce((sum, { usd }) => sum + usd, 0) };
}

/** Resource types that the table neither prices nor lists as free. */
export function unknownTypes(resources: readonly Resource[], table: PriceTable): string[] {
  const types = new Set(resources.map(({ type }) => type));
  return [...types].filter((type) => table.resources[type] === undefined).toSorted();
}
