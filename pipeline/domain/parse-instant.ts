const noOffset = 9999;

// Called hundreds of thousands of times a second, mostly on bytes: fixed offsets are faster than a pattern and a Date.

const zero = 48;
const dot = 46;
const dash = 45;
const colon = 58;
const plus = 43;
/** Z */
const utc = 90;

/**
 * Parses an instant in a form that tills write as microseconds since 1970, UTC; decimals beyond them are cut off.
 * Returns undefined for anything else, for a day that does not exist and for years outside 2000 to 2199.
 */
export function parseInstant(text: string): number | undefined {
  const micros = instantOf(text);
  if (!Number.isNaN(micros)) return micros;
  const usual = usualForm(text);
  const again = usual === text ? Number.NaN : instantOf(usual);
  return Number.isNaN(again) ? undefined : again;
}

function instantOf(text: string): number {
  const bytes = Buffer.from(text);
  return instantAt(bytes, 0, bytes.length);
}

const written = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(?::(\d\d)(?:[.,](\d+))?)? ?(?:([Zz])|([+-]\d\d)(?::?(\d\d))?)$/;

/**
 * Returns an instant in the form that `instantAt` reads. A till may also leave out the seconds or the minutes of the
 * offset and its colon, write a blank instead of T or before the offset, a comma before the decimals, more than six
 * decimals, and t and z (ISO 8601 and RFC 3339). Any other text is returned unchanged.
 */
export function usualForm(text: string): string {
  const parts = written.exec(text);
  if (parts === null) return text;
  const [, date, minute, second = "00", decimals = "", z, hours, minutes = "00"] = parts;
  const fraction = decimals === "" ? "" : `.${decimals.slice(0, 6)}`;
  return `${date}T${minute}:${second}${fraction}${z === undefined ? `${hours}:${minutes}` : "Z"}`;
}

/**
 * Parses the bytes `[start, end)` of a text with the usual form of an instant,
 * `YYYY-MM-DDTHH:MM:SS[.f]{Z|+HH:MM|-HH:MM}` with one to six decimals; returns NaN if they are anything else.
 */
export function instantAt(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 20) return Number.NaN;
  const year = digits(bytes, start, 4);
  const month = digits(bytes, start + 5, 2);
  const day = digits(bytes, start + 8, 2);
  const hour = digits(bytes, start + 11, 2);
  const minute = digits(bytes, start + 14, 2);
  const second = digits(bytes, start + 17, 2);
  if (bytes[start + 4] !== dash || bytes[start + 7] !== dash || bytes[start + 10] !== 84) return Number.NaN;
  if (bytes[start + 13] !== colon || bytes[start + 16] !== colon) return Number.NaN;
  if (year < 2000 || year > 2199 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return Number.NaN;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return Number.NaN;
  let at = start + 19;
  let fraction = 0;
  if (bytes[at] === dot) {
    const from = at + 1;
    at = endOfDigits(bytes, from, end);
    if (at === from || at - from > 6) return Number.NaN;
    fraction = digits(bytes, from, at - from) * 10 ** (6 - (at - from));
  }
  const offset = offsetMinutes(bytes, at, end);
  if (offset === noOffset) return Number.NaN;
  const minutes = (daysSince1970(year, month, day) * 24 + hour) * 60 + minute - offset;
  return (minutes * 60 + second) * 1_000_000 + fraction;
}

/** Returns the UTC offset in minutes at the end of a valid instant, whose bytes end before `end`. */
export function writtenOffsetMinutes(bytes: Uint8Array, end: number): number {
  let at = end - 1;
  while (bytes[at] !== utc && bytes[at] !== plus && bytes[at] !== dash) at--;
  return offsetMinutes(bytes, at, end);
}

/** Parses decimal digits; -1 if one of the bytes is not a digit. */
function digits(bytes: Uint8Array, start: number, count: number): number {
  let value = 0;
  for (let i = start; i < start + count; i++) {
    const digit = bytes[i]! - zero;
    if (!(digit >= 0 && digit <= 9)) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function endOfDigits(bytes: Uint8Array, start: number, end: number): number {
  let i = start;
  while (i < end && bytes[i]! >= zero && bytes[i]! <= zero + 9) i++;
  return i;
}

function offsetMinutes(bytes: Uint8Array, at: number, end: number): number {
  if (bytes[at] === utc) return at + 1 === end ? 0 : noOffset;
  const sign = bytes[at] === plus ? 1 : bytes[at] === dash ? -1 : 0;
  if (sign === 0 || at + 6 !== end || bytes[at + 3] !== colon) return noOffset;
  const hours = digits(bytes, at + 1, 2);
  const minutes = digits(bytes, at + 4, 2);
  const isOffset = hours >= 0 && hours <= 14 && minutes >= 0 && minutes <= 59;
  return isOffset ? sign * (hours * 60 + minutes) : noOffset;
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
