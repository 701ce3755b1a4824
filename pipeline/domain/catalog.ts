import { parseInstant } from "./parse-instant.ts";

/** What the chain knows about itself: its menu and its stores. Loaded from `data/menu.json` and `data/stores.json`. */

/** A pizza of the menu, or one version of it: what it is called and what it costs may change from a day on. */
export interface Pizza extends Validity {
  pizza_id: string;
  pizza_type_id: string;
  name: string;
  category: string;
  /** S, M, L, XL or XXL. */
  size: string;
  price_cents: number;
  /** What its ingredients cost; invented from a seed. */
  cost_cents: number;
}

export interface Store extends Validity {
  store_id: string;
  city: string;
  state: string;
  /** IANA name, such as America/New_York. */
  time_zone: string;
}

/** Every version of each pizza and store, by id; `validOn` finds the one of a day. */
export interface Catalog {
  pizzas: ReadonlyMap<string, Versions<Pizza>>;
  stores: ReadonlyMap<string, Versions<Store>>;
}

/**
 * Builds the look-up tables from the two files' parsed content. Throws where ranges overlap or leave a gap, or where a
 * pizza changes its type, category or size: gold adds these up by month, so that is another pizza.
 */
export function createCatalog(menu: readonly Pizza[], stores: readonly Store[]): Catalog {
  return { pizzas: createMenu(menu), stores: createStores(stores) };
}

/** The menu by pizza id. */
export function createMenu(menu: readonly Pizza[]): Catalog["pizzas"] {
  const pizzas = versionsBy(menu, ({ pizza_id }) => pizza_id, "data/menu.json");
  for (const [id, [first, ...later]] of pizzas) {
    for (const field of ["pizza_type_id", "category", "size"] as const) {
      if (later.every((version) => version[field] === first![field])) continue;
      throw new Error(
        `data/menu.json: ${id} has another ${field} in a later range; give what is another pizza another pizza_id`,
      );
    }
  }
  return pizzas;
}

/** The stores by store id. */
export function createStores<Item extends Store>(stores: readonly Item[]): ReadonlyMap<string, Versions<Item>> {
  return versionsBy(stores, ({ store_id }) => store_id, "data/stores.json");
}

/** The stores that are open on a day (`YYYY-MM-DD`), as they are then, in the file's order. */
export function storesOn<Item extends Store>(stores: readonly Item[], day: string): Item[] {
  return [...createStores(stores).values()].flatMap((versions) => validOn(versions, day) ?? []);
}

function versionsBy<Item extends Validity>(items: readonly Item[], idOf: (item: Item) => string, file: string) {
  const groups = [...Map.groupBy(items, idOf)];
  return new Map(groups.map(([id, versions]) => [id, orderVersions(versions, `${file}: ${id}`)]));
}

/** The days of which a version of something holds. Business dates, `YYYY-MM-DD`; null or absent: without end on that side. */
interface Validity {
  /** The first day. */
  valid_from?: string | null;
  /** The day after the last one: where the next version begins. */
  valid_to?: string | null;
}

/** The versions of one thing, oldest first; they meet without gap or overlap. */
export type Versions<Item extends Validity> = readonly Item[];

/** The version that holds on a day (`YYYY-MM-DD`); undefined where none does. */
export function validOn<Item extends Validity>(versions: Versions<Item> | undefined, day: string): Item | undefined {
  if (versions === undefined) return undefined;
  for (let index = versions.length - 1; index >= 0; index--) {
    const version = versions[index]!;
    if (version.valid_from != null && day < version.valid_from) continue;
    return version.valid_to == null || day < version.valid_to ? version : undefined;
  }
  return undefined;
}

/** Puts the versions of one thing in order; throws where a range is none, or where two overlap or leave a gap. */
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
    throw new Error(`${name}: ${day} is no day; write it as 2026-03-01, or null`);
  }
  if (valid_from != null && valid_to != null && valid_from >= valid_to) {
    throw new Error(
      `${name}: valid_from ${valid_from} does not lie before valid_to ${valid_to}, the day after its last`,
    );
  }
}

function showDay(day: string): string {
  return day === "~" ? "never" : day === "" ? "without a first day" : `on ${day}`;
}

/** Which part of the day an hour on the store's clock belongs to: lunch from 5 to 15, afternoon to 17, dinner to 21, then late. */
export function daypartOf(hour: number): "lunch" | "afternoon" | "dinner" | "late" {
  if (hour < 5) return "late";
  if (hour < 15) return "lunch";
  if (hour < 17) return "afternoon";
  return hour < 21 ? "dinner" : "late";
}
