/** Hundreds of thousands of times a second: fixed positions instead of a regular expression and a Date. */

export interface Instant {
  /** Microseconds since 1970, UTC. */
  micros: number;
  /** Offset of the wall clock from UTC, minutes. */
  offsetMinutes: number;
}

/**
 * Reads `YYYY-MM-DDTHH:MM:SS[.f]{Z|+HH:MM|-HH:MM}` with one to six decimals (RFC 3339). Undefined for anything else,
 * for a day that the calendar does not have and for years outside 2000 to 2199.
 */
export function parseInstant(text: string): Instant | undefined {
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 2);
  const day = digits(text, 8, 2);
  const hour = digits(text, 11, 2);
  const minute = digits(text, 14, 2);
  const second = digits(text, 17, 2);
  if (text[4] !== "-" || text[7] !== "-" || text[10] !== "T" || text[13] !== ":" || text[16] !== ":") return undefined;
  // Comparisons with NaN are false, so a missing digit fails here too.
  if (!(year >= 2000 && year <= 2199 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month))) {
    return undefined;
  }
  if (!(hour <= 23 && minute <= 59 && second <= 59)) return undefined;
  let at = 19;
  let fraction = 0;
  if (text[at] === ".") {
    const end = endOfDigits(text, at + 1);
    const count = end - at - 1;
    if (count < 1 || count > 6) return undefined;
    fraction = digits(text, at + 1, count) * 10 ** (6 - count);
    at = end;
  }
  const offsetMinutes = parseOffset(text, at);
  if (offsetMinutes === undefined) return undefined;
  const minutes = (daysSince1970(year, month, day) * 24 + hour) * 60 + minute - offsetMinutes;
  return { micros: (minutes * 60 + second) * 1_000_000 + fraction, offsetMinutes };
}

function digits(text: string, start: number, count: number): number {
  let value = 0;
  for (let i = start; i < start + count; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

function endOfDigits(text: string, start: number): number {
  let i = start;
  while (text.charCodeAt(i) >= 48 && text.charCodeAt(i) <= 57) i++;
  return i;
}

function parseOffset(text: string, at: number): number | undefined {
  if (text[at] === "Z") return text.length === at + 1 ? 0 : undefined;
  const sign = text[at] === "+" ? 1 : text[at] === "-" ? -1 : 0;
  const hours = digits(text, at + 1, 2);
  const minutes = digits(text, at + 4, 2);
  const isWhole = text.length === at + 6 && text[at + 3] === ":";
  return sign !== 0 && isWhole && hours <= 14 && minutes <= 59 ? sign * (hours * 60 + minutes) : undefined;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Days from 1970-01-01 in the proleptic Gregorian calendar; the year begins in March so that leap days come last. */
function daysSince1970(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}
