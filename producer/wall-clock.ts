/** Converts between UTC and a store's wall clock. Intl is slow, so offsets are cached per zone and day. */

const minute = 60_000;
const day = 24 * 60 * minute;
const zones = new Map<string, Zone>();

interface Zone {
  format: Intl.DateTimeFormat;
  /** Offset in minutes by day number; null if it changes during the day. */
  days: Map<number, number | null>;
}

/** UTC offset of a zone in minutes at `at` (milliseconds since 1970). Throws on an unknown zone. */
export function offsetMinutes(timeZone: string, at: number): number {
  const zone = zones.get(timeZone) ?? openZone(timeZone);
  const number = Math.floor(at / day);
  let offset = zone.days.get(number);
  if (offset === undefined) {
    const first = readOffset(zone.format, number * day);
    offset = first === readOffset(zone.format, (number + 1) * day - 1) ? first : null;
    zone.days.set(number, offset);
  }
  return offset ?? readOffset(zone.format, at);
}

function openZone(timeZone: string): Zone {
  const format = new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName: "longOffset" });
  const zone = { format, days: new Map<number, number | null>() };
  zones.set(timeZone, zone);
  return zone;
}

function readOffset(format: Intl.DateTimeFormat, at: number): number {
  const [, sign, hours, minutes] = /GMT([+-])(\d\d):(\d\d)/.exec(format.format(at)) ?? [];
  return sign === undefined ? 0 : (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

/** The time (milliseconds since 1970) at which the zone's clocks show `wall`, given as if in UTC. */
export function momentOf(timeZone: string, wall: number): number {
  const nearby = wall - offsetMinutes(timeZone, wall) * minute;
  return wall - offsetMinutes(timeZone, nearby) * minute;
}

/** The zone's wall clock at a time: milliseconds since 1970, as if in UTC. */
export function wallOf(timeZone: string, at: number): number {
  return at + offsetMinutes(timeZone, at) * minute;
}

/** A time as `2015-01-01T11:38:36-05:00` in the zone, truncated to seconds. */
export function formatWall(timeZone: string, at: number): string {
  const offset = offsetMinutes(timeZone, at);
  const hours = pad(Math.floor(Math.abs(offset) / 60));
  const wall = at + offset * minute;
  return `${dateOf(wall)}T${timeOf(wall)}${offset < 0 ? "-" : "+"}${hours}:${pad(Math.abs(offset) % 60)}`;
}

/** A time as `2015-01-01T16:38:37.120Z`. */
export function formatUtc(at: number): string {
  return `${dateOf(at)}T${timeOf(at)}.${String(at % 1000).padStart(3, "0")}Z`;
}

/** A time as `20150101-163837` in UTC, which sorts chronologically. */
export function formatStamp(at: number): string {
  return `${dateOf(at).replaceAll("-", "")}-${timeOf(at).replaceAll(":", "")}`;
}

// Cached, because consecutive times are mostly on the same day.
let knownDay = Number.NaN;
let knownDate = "";

/** The day of a time or wall clock in milliseconds, `YYYY-MM-DD`. */
export function dateOf(at: number): string {
  const number = Math.floor(at / day);
  if (number !== knownDay) {
    knownDay = number;
    knownDate = new Date(number * day).toISOString().slice(0, 10);
  }
  return knownDate;
}

function timeOf(at: number): string {
  const seconds = Math.floor((at % day) / 1000);
  return `${pad(Math.floor(seconds / 3600))}:${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}`;
}

function pad(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}
