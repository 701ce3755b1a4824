import type { Store } from "../domain/catalog.ts";

/** A store of `data/stores.json` with what only the invention of orders needs. */
export interface StoreProfile extends Store {
  /** Its share of the business: 1 is a store as busy as the one in the classic year. */
  weight: number;
  /** How many tills it has. */
  tills: number;
  area_code: string;
  /** First three digits of its guests' postal codes. */
  postal_prefix: string;
}
