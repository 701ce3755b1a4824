/** Dates `YYYY-MM-DD` in order, one group for each month. */
export function groupByMonth(dates: Iterable<string>): string[][] {
  return [...Map.groupBy([...new Set(dates)].toSorted(), (date) => date.slice(0, 7)).values()];
}
