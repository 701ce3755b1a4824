/** What the chain knows about itself: its menu and its stores. Loaded from `data/menu.json` and `data/stores.json`. */

export interface Pizza {
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

export interface Store {
  store_id: string;
  city: string;
  state: string;
  /** IANA name, such as America/New_York. */
  time_zone: string;
}

export interface Catalog {
  pizzas: ReadonlyMap<string, Pizza>;
  stores: ReadonlyMap<string, Store>;
}

/** Builds the look-up tables from the two files' parsed content. */
export function createCatalog(menu: readonly Pizza[], stores: readonly Store[]): Catalog {
  return {
    pizzas: new Map(menu.map((pizza) => [pizza.pizza_id, pizza])),
    stores: new Map(stores.map((store) => [store.store_id, store])),
  };
}
