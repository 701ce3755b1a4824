import { parseInstant } from "./parse-instant.ts";
import { offsetMinutes } from "./wall-clock.ts";

/** One version of a pizza on the menu (`data/menu.json`): its name, price and cost may change from a day on. */
export interface Pizza extends Validity {
  pizza_id: string;
  pizza_type_id: string;
  name: string;
  category: string;
  /** S, M, L, XL or XXL. */
  size: string;
  price_cents: number;
  /** Cost of its ingredients; generated from a seed. */
  cost_cents: number;
}

/** One version of a store (`data/stores.json`). */
export interface Store extends Validity {
  store_id: string;
  city: string;
  state: string;
  /** IANA name, such as America/New_York. */
  time_zone: string;
}

/** Every version of each pizza and store, by id; `validOn` finds the one that is valid on a day. */
export interface Catalog {
  pizzas: ReadonlyMap<string, Versions<Pizza>>;
  stores: ReadonlyMap<string, Versions<Store>>;
}

/**
 * Builds the catalog from the two files' parsed content. Throws if validity ranges overlap or leave a gap. Throws too
 * if a pizza changes its type, category or size, or a store its time zone, state or city: gold adds these up by month,
 * and the business date follows from the time zone. Such a change needs a new id.
 */
export function createCatalog(menu: readonly Pizza[], stores: readonly Store[]): Catalog {
  return { pizzas: createMenu(menu), stores: createStores(stores) };
}

/** Indexes the menu by pizza id; throws as `createCatalog` does. */
export function createMenu(menu: readonly Pizza[]): Catalog["pizzas"] {
  const pizzas = versionsBy(menu, ({ pizza_id }) => pizza_id, "data/menu.json");
  const fields = ["pizza_type_id", "category", "size"] as const;
  checkConstant(pizzas, fields, { file: "data/menu.json", hint: "give a different pizza its own pizza_id" });
  return pizzas;
}

/** Indexes the stores by store id; throws as `createCatalog` does. */
export function createStores<Item extends Store>(stores: readonly Item[]): ReadonlyMap<string, Versions<Item>> {
  const versions = versionsBy(stores, ({ store_id }) => store_id, "data/stores.json");
  const fields = ["time_zone", "state", "city"] as const;
  checkConstant(versions, fields, { file: "data/stores.json", hint: "give a store that moves a new store_id" });
  for (const [id, [store]] of versions) checkTimeZone(id, store!.time_zone);
  return versions;
}

function checkTimeZone(storeId: string, timeZone: string): void {
  try {
    offsetMinutes(timeZone, 0);
  } catch {
    throw new Error(
      `data/stores.json: ${storeId} has the unknown time zone ${timeZone}; write an IANA name, such as America/New_York`,
    );
  }
}

/** Throws if a field differs between the versions of one id. */
function checkConstant<Item extends Validity>(
  items: ReadonlyMap<string, Versions<Item>>,
  fields: readonly (keyof Item & string)[],
  { file, hint }: { file: string; hint: string },
): void {
  for (const [id, [first, ...later]] of items) {
    const changed = fields.find((field) => later.some((version) => version[field] !== first![field]));
    if (changed !== undefined) throw new Error(`${file}: ${id} has a different ${changed} in a later range; ${hint}`);
  }
}

/** The stores that are open on a day (`YYYY-MM-DD`), as they are then, in the file's order. */
export function storesOn<Item extends Store>(stores: readonly Item[], day: string): Item[] {
  return [...createStores(stores).values()].flatMap((versions) => validOn(versions, day) ?? []);
}

function versionsBy<Item extends Validity>(items: readonly Item[], idOf: (item: Item) => string, file: string) {
  const groups = [...Map.groupBy(items, idOf)];
  return new Map(groups.map(([id, versions]) => [id, orderVersions(versions, `${file}: ${id}`)]));
}

/** The business dates (`YYYY-MM-DD`) on which a version is valid; null or absent means unbounded on that side. */
interface Validity {
  /** The first day. */
  valid_from?: string | null;
  /** The day after the last one (exclusive): the first day of the next version. */
  valid_to?: string | null;
}

/** The versions of one pizza or store, oldest first, without gaps or overlaps. */
export type Versions<Item extends Validity> = readonly Item[];

/** Returns the version that is valid on a day (`YYYY-MM-DD`), or undefined if none is. */
export function validOn<Item extends Validity>(versions: Versions<Item> | undefined, day: string): Item | undefined {
  if (versions === undefined) return undefined;
  for (let index = versions.length - 1; index >= 0; index--) {
    const version = versions[index]!;
    if (version.valid_from != null && day < version.valid_from) continue;
    return version.valid_to == null || day < version.valid_to ? version : undefined;
  }
  return undefined;
}

/** Sorts the versions of one pizza or store; throws if a range is invalid, or if two overlap or leave a gap. */
function orderVersions<Item extends Validity>(versions: readonly Item[], name: string): Versions<Item> {
  for (const version of versions) checkRange(version, name);
  const ordered = versions.toSorted((one, other) => ((one.valid_from ?? "") < (other.valid_from ?? "") ? -1 : 1));
  for (const [index, next] of ordered.slice(1).entries()) {
    const end = ordered[index]!.valid_to ?? "~";
    const start = next.valid_from ?? "";
    if (end === start) continue;
    const what = end > start ? "overlap" : "leave a gap";
    throw new Error(
      `${name}: its ranges ${what}: one ends ${showDay(end)}, the next begins ${showDay(start)}; valid_to of the one has to be valid_from of the next`,
    );
  }
  return ordered;
}

function checkRange({ valid_from, valid_to }: Validity, name: string): void {
  for (const day of [valid_from, valid_to]) {
    if (day == null || (day.length === 10 && parseInstant(`${day}T00:00:00Z`) !== undefined)) continue;
    throw new Error(`${name}: ${day} is not a date; write it as 2026-03-01, or null`);
  }
  if (valid_from != null && valid_to != null && valid_from >= valid_to) {
    throw new Error(
      `${name}: valid_from ${valid_from} is not before valid_to ${valid_to}; valid_to is the day after the last`,
    );
  }
}

function showDay(day: string): string {
  return day === "~" ? "never" : day === "" ? "without a first day" : `on ${day}`;
}

/** Returns the daypart of an hour in store-local time: lunch from 5 to 15, afternoon to 17, dinner to 21, then late. */
export function daypartOf(hour: number): "lunch" | "afternoon" | "dinner" | "late" {
  if (hour < 5) return "late";
  if (hour < 15) return "lunch";
  if (hour < 17) return "afternoon";
  return hour < 21 ? "dinner" : "late";
}
