/** Converts between UTC and the wall clock of an IANA time zone. */

const minute = 60_000;
const day = 24 * 60 * minute;
/** Maximum number of cached days; a full cache is cleared. */
const mostDays = 1 << 12;
const zones = new Map<string, Zone>();

interface Zone {
  format: Intl.DateTimeFormat;
  /** Offsets by day number in UTC. Intl is slow, so each day is looked up once. */
  days: Map<number, ZoneDay>;
}

/** The offset in minutes before and from `changesAt` on; Infinity on the days on which clocks do not change. */
interface ZoneDay {
  before: number;
  after: number;
  changesAt: number;
}

/**
 * UTC offset of an IANA time zone in minutes at `at` (milliseconds since 1970), by the time zone database of this Node.
 * Throws a RangeError if the zone does not exist.
 */
export function offsetMinutes(timeZone: string, at: number): number {
  const zone = zones.get(timeZone) ?? openZone(timeZone);
  const number = Math.floor(at / day);
  let found = zone.days.get(number);
  if (found === undefined) {
    if (zone.days.size >= mostDays) zone.days.clear();
    zone.days.set(number, (found = readDay(zone.format, number * day)));
  }
  return at < found.changesAt ? found.before : found.after;
}

function openZone(timeZone: string): Zone {
  const format = new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName: "longOffset" });
  const zone = { format, days: new Map<number, ZoneDay>() };
  zones.set(timeZone, zone);
  return zone;
}

/** Reads the offsets of a day, and finds the millisecond of a change by bisection: no zone changes twice in a day. */
function readDay(format: Intl.DateTimeFormat, start: number): ZoneDay {
  const [before, after] = [readOffset(format, start), readOffset(format, start + day)];
  if (before === after) return { before, after, changesAt: Infinity };
  let [last, changesAt] = [start, start + day];
  while (changesAt - last > 1) {
    const middle = Math.floor((last + changesAt) / 2);
    if (readOffset(format, middle) === before) last = middle;
    else changesAt = middle;
  }
  return { before, after, changesAt };
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

// Cached: orders of one day share one string, which makes it a quick key.
const dates = new Map<number, string>();

/** The day of a time or wall clock in milliseconds, `YYYY-MM-DD`. */
export function dateOf(at: number): string {
  const number = Math.floor(at / day);
  let date = dates.get(number);
  if (date === undefined) {
    if (dates.size >= mostDays) dates.clear();
    dates.set(number, (date = new Date(number * day).toISOString().slice(0, 10)));
  }
  return date;
}

/** The hour of a wall clock in milliseconds, 0 to 23. */
export function hourOf(wall: number): number {
  return Math.floor((wall % day) / (60 * minute));
}

function timeOf(at: number): string {
  const seconds = Math.floor((at % day) / 1000);
  return `${pad(Math.floor(seconds / 3600))}:${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}`;
}

function pad(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}
