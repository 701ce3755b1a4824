import { dayMs } from "../pipeline/domain/dates.ts";

/** Content of `data/patterns.json`: patterns of the classic year. */
export interface Patterns {
  source: string;
  /** Orders of a store of weight 1 on an average open day. */
  orders_per_day: number;
  /** Standard deviation of a day's orders, relative to their mean. */
  relative_spread: number;
  /** Factor on a day's orders by `Monday` … `Sunday`. */
  weekday_weights: Record<string, number>;
  /** Factor on a day's orders by month, `1` … `12`. */
  month_weights: Record<string, number>;
  special_days: SpecialDay[];
  /** Share of a weekday's orders by hour of the store's clock. */
  hour_weights: Record<string, Record<string, number>>;
  /** Share of orders by number of pizzas, for each part of the day. */
  pizzas_per_order: Record<string, Record<string, number>>;
  /** Share of pizzas by `pizza_type_id`. */
  pizza_type_weights: Record<string, number>;
  /** Share of a type's pizzas by size. */
  size_weights: Record<string, Record<string, number>>;
}

/** A yearly day that is busier or quieter than its weekday: a date, or the nth weekday of a month. */
export interface SpecialDay {
  name: string;
  month: number;
  day?: number;
  weekday?: string;
  nth?: number;
  days_after?: number;
  /** 0 closes the stores. */
  factor: number;
}

const weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/** The English weekday name of a wall clock time (milliseconds, as if in UTC). */
export function weekdayOf(wall: number): string {
  return weekdays[new Date(wall).getUTCDay()]!;
}

/** Factor of a day's orders relative to the average day; `wall` is any time of the day, as if in UTC. */
export function dayFactor(patterns: Patterns, wall: number): number {
  const month = new Date(wall).getUTCMonth() + 1;
  const special = patterns.special_days.find((day) => fallsOn(day, wall));
  return (
    (patterns.weekday_weights[weekdayOf(wall)] ?? 1) * (patterns.month_weights[month] ?? 1) * (special?.factor ?? 1)
  );
}

function fallsOn({ month, day, weekday, nth = 1, days_after = 0 }: SpecialDay, wall: number): boolean {
  const date = new Date(wall - days_after * dayMs);
  if (date.getUTCMonth() + 1 !== month) return false;
  if (day !== undefined) return date.getUTCDate() === day;
  return weekdays[date.getUTCDay()] === weekday && Math.ceil(date.getUTCDate() / 7) === nth;
}
