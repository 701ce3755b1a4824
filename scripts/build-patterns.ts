/** Derives the simulator's patterns from the measured patterns of the published data set. */

/** Yearly special days, with the date of 2015 on which they were measured. */
const specialDays = [
  { name: "Super Bowl Sunday", month: 2, weekday: "Sunday", nth: 1, seen: "2015-02-01" },
  { name: "Saint Patrick's Day", month: 3, day: 17, seen: "2015-03-17" },
  { name: "Independence Day", month: 7, day: 4, seen: "2015-07-04" },
  { name: "Thanksgiving", month: 11, weekday: "Thursday", nth: 4, seen: "2015-11-26" },
  { name: "the day after Thanksgiving", month: 11, weekday: "Thursday", nth: 4, days_after: 1, seen: "2015-11-27" },
  { name: "Christmas Day, closed", month: 12, day: 25, seen: "2015-12-25" },
  ...[26, 27, 28, 29, 30].map((day) => ({ name: "after Christmas", month: 12, day, seen: `2015-12-${day}` })),
];

interface MeasuredPatterns {
  meta: { source: string };
  orders_per_open_day: { mean: number };
  closed_dates: string[];
  busiest_days_vs_weekday_mean: { date: string; ratio: number }[];
  quietest_days_vs_weekday_mean: { date: string; ratio: number }[];
  basket_pizzas_per_order_by_daypart: Record<string, unknown>;
  [key: string]: unknown;
}

/** The content of `data/patterns.json`. Throws if the source has no measurement for a special day. */
export function simulatorPatterns(measured: MeasuredPatterns): Record<string, unknown> {
  const ratios = new Map(
    [...measured.busiest_days_vs_weekday_mean, ...measured.quietest_days_vs_weekday_mean].map((day) => [
      day.date,
      day.ratio,
    ]),
  );
  for (const date of measured.closed_dates) ratios.set(date, 0);
  return {
    source: measured.meta.source,
    about: "Measured on the classic year, which its publisher simulated; shares of orders, pizzas or days.",
    orders_per_day: measured.orders_per_open_day.mean,
    // Relative to the mean of the same weekday, which varies less than the whole year.
    relative_spread: 0.12,
    weekday_weights: measured["weekday_weights_per_open_day"],
    month_weights: measured["month_weights_per_open_day"],
    special_days: specialDays.map((day) => ({ ...day, factor: factorOf(ratios, day.seen) })),
    hour_weights: measured["hour_weights_orders_by_weekday"],
    pizzas_per_order: pizzasByDaypart(measured.basket_pizzas_per_order_by_daypart),
    pizza_type_weights: measured["pizza_type_weights"],
    size_weights: measured["size_given_pizza_type"],
  };
}

function factorOf(ratios: ReadonlyMap<string, number>, date: string): number {
  const ratio = ratios.get(date);
  if (ratio === undefined) throw new Error(`patterns.json: ${date} is not among the busy, quiet or closed days`);
  return ratio;
}

function pizzasByDaypart(measured: Record<string, unknown>): Record<string, unknown> {
  return {
    lunch: measured["lunch_11_15"],
    afternoon: measured["afternoon_15_17"],
    dinner: measured["dinner_17_21"],
    late: measured["late_21_24"],
  };
}
