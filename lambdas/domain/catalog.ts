/** What the chain knows about itself: its menu and its stores. Loaded from `data/menu.json` and `data/stores.json`. */
import { orderVersions, type Validity, type Versions } from "./validity.ts";

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

function versionsBy<Item extends Validity>(items: readonly Item[], idOf: (item: Item) => string, file: string) {
  const groups = [...Map.groupBy(items, idOf)];
  return new Map(groups.map(([id, versions]) => [id, orderVersions(versions, `${file}: ${id}`)]));
}
