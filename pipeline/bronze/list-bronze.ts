import type { ObjectStore } from "../ports.ts";
import { type BronzeName, bronzePrefix, parseBronzeKey } from "./bronze-object.ts";
import { hourMs, hourStart, utcHour } from "../domain/dates.ts";

/** A bronze object in a listing. */
export interface BronzeObject extends BronzeName {
  key: string;
  /** Bytes. */
  size: number;
}

const mostHoursOneByOne = 48;

/**
 * Lists the bronze objects of a stream that landed from `fromHour` to `toHour` (UTC, `YYYY-MM-DDTHH`, both inclusive
 * and optional), sorted by key. A short closed range is listed hour by hour; any other range is one listing that starts
 * at `fromHour`. Throws if an hour of a closed range is malformed.
 */
export async function listBronze(
  store: ObjectStore,
  stream: string,
  { fromHour, toHour }: { fromHour?: string; toHour?: string } = {},
): Promise<BronzeObject[]> {
  const prefix = bronzePrefix(stream);
  const hours = hoursBetween(fromHour, toHour);
  const found = hours
    ? (await Promise.all(hours.map((hour) => store.list(`${prefix}${hour}/`)))).flat()
    : await store.list(prefix, fromHour === undefined ? {} : { startAfter: `${prefix}${fromHour}` });
  return found
    .map(({ key, size }) => ({ key, size, ...parseBronzeKey(key) }))
    .filter((object): object is BronzeObject => object.hour !== undefined)
    .filter(({ hour }) => toHour === undefined || hour <= toHour);
}

/** Returns the hours of a short closed range; undefined for an open or long one. */
function hoursBetween(fromHour?: string, toHour?: string): string[] | undefined {
  if (fromHour === undefined || toHour === undefined) return undefined;
  const [from, to] = [timeOf(fromHour), timeOf(toHour)];
  const count = (to - from) / hourMs + 1;
  if (count > mostHoursOneByOne) return undefined;
  return Array.from({ length: Math.max(count, 0) }, (_, index) => utcHour(from + index * hourMs));
}

function timeOf(hour: string): number {
  const time = hourStart(hour);
  if (Number.isNaN(time)) throw new Error(`Bronze hour ${hour}: not an hour; write it as YYYY-MM-DDTHH`);
  return time;
}
