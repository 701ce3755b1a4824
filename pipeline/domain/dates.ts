/**
 * Dates are `YYYY-MM-DD` and hours `YYYY-MM-DDTHH`, both in UTC here; a moment is in milliseconds since 1970. What a
 * till's offset makes of them is in `parse-instant.ts`.
 */
export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

/** The date of a moment. */
export function utcDate(moment: number): string {
  return new Date(moment).toISOString().slice(0, 10);
}

/** The hour of a moment. */
export function utcHour(moment: number): string {
  return new Date(moment).toISOString().slice(0, 13);
}

/** The moment at which an hour begins; NaN for any other text. */
export function hourStart(hour: string): number {
  return Date.parse(`${hour}:00:00Z`);
}

/** The date some days later, or earlier where `days` is negative. */
export function addDays(date: string, days: number): string {
  return utcDate(Date.parse(date) + days * dayMs);
}
