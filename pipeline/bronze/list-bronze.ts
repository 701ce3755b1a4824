import type { ObjectStore } from "../ports.ts";
import { type BronzeName, bronzePrefix, parseBronzeKey } from "./bronze-object.ts";
import { hourMs, hourStart, utcHour } from "../domain/dates.ts";

export interface BronzeObject extends BronzeName {
  key: string;
  /** Bytes. */
  size: number;
}

const mostHoursOneByOne = 48;

/**
 * The bronze objects of a stream whose hour of landing lies from `fromHour` to `toHour` (UTC, `YYYY-MM-DDTHH`, both
 * included, both optional), sorted by key. A short closed range reads its own hours only; any other is one listing that
 * begins at `fromHour`.
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

/** Undefined for a range that is open or long. */
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
