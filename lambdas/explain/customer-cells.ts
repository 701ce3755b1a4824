import { amount, label, total, type Cell, type TermValue } from "./cells.ts";
import * as term from "./terms.ts";

const dayMs = 86_400_000;
const lastDay = term.extreme("last day", "cast(order_date as varchar)", "max");
const below = {
  recency: term.customersBelow("customers whose last order is older", "last_day"),
  frequency: term.customersBelow("customers with fewer orders", "orders"),
  monetary: term.customersBelow("customers who spent less", "cents"),
};

/** 1 to 5 by fifths: the share of the other customers that lie below. */
function scoreOf(lower: TermValue | undefined, all: TermValue | undefined): number {
  const [rank, others] = [Number(amount(lower)), Number(amount(all)) - 1];
  return others <= 0 ? 1 : Math.min(1 + Math.floor(5 * (rank / others)), 5);
}

function score(measure: keyof typeof below, own: term.Term): Cell {
  const { name } = below[measure];
  return {
    terms: [below[measure], term.allCustomers, own],
    formula: `1 + 5 x ${name} / (all customers - 1), rounded down, 5 at the most`,
    value: ([lower, all]) => String(scoreOf(lower, all)),
  };
}

function segmentOf(r: number, rest: number): string {
  if (r >= 4 && rest >= 8) return "champions";
  if (r >= 3 && rest >= 6) return "loyal";
  if (r >= 4 && rest >= 4) return "potential_loyal";
  if (r >= 4) return "new";
  if (r === 3) return "needs_attention";
  if (rest >= 8) return "cannot_lose";
  if (rest >= 6) return "at_risk";
  return r === 2 ? "about_to_sleep" : "lost";
}

const firstOrder = term.extreme("first order", "ordered_at", "min", "moment");
const lastOrder = term.extreme("last order", "ordered_at", "max", "moment");

/** The columns of gold.customer_segments. */
export const customerCells: Record<string, Cell> = {
  recency_days: {
    terms: [term.lastDayOfAll, lastDay],
    formula: "days from last day to last day sold",
    value: ([all, own]) => String((Date.parse(String(all)) - Date.parse(String(own))) / dayMs),
  },
  frequency: total(term.ordersBy("order")),
  monetary: total(term.revenue),
  recency_score: score("recency", lastDay),
  frequency_score: score("frequency", term.ordersBy("order")),
  monetary_score: score("monetary", term.revenue),
  segment: {
    terms: [below.recency, below.frequency, below.monetary, term.allCustomers],
    formula: "from the three scores, see docs/gold.md",
    value: ([recency, frequency, monetary, all]) =>
      segmentOf(scoreOf(recency, all), scoreOf(frequency, all) + scoreOf(monetary, all)),
  },
  first_ordered_at: label(firstOrder),
  last_ordered_at: label(lastOrder),
};
