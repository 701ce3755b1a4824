import { createMenu, type Catalog, type Pizza, storesOn } from "../pipeline/domain/catalog.ts";
import type { OrderEvent } from "../pipeline/domain/generated/order-event.types.ts";
import { createGuests } from "./customers.ts";
import { makeOrder, type BasketItem } from "./make-order.ts";
import { createChoice, createRandom } from "./random.ts";
import { type StoreProfile, createTills } from "./tills.ts";
import { momentOf } from "./wall-clock.ts";

/**
 * The classic year as order events, in the data's own order: what was sold and the wall clock are the data's, while
 * store, till, channel and guest are invented from the seed. The same input gives the same bytes. Throws where the
 * CSV (`data/classic-2015.csv`) names a pizza that is not on the menu. `stores` may hold later versions and stores: the
 * year is invented over those that were open when it began.
 */
export function* classicOrders({
  csv,
  menu,
  stores: allStores,
  seed = 2015,
}: {
  csv: string;
  menu: readonly Pizza[];
  stores: readonly StoreProfile[];
  seed?: number;
}): Generator<OrderEvent, void, undefined> {
  const pizzas = createMenu(menu);
  const stores = storesOn(allStores, "2015-01-01");
  const random = createRandom("classic", seed);
  const chooseStore = createChoice([...stores.entries()].map(([index, store]) => [index, store.weight]));
  const guestAt = createGuests(stores);
  const send = createTills();
  for (const row of csv.trimEnd().split("\n").slice(1)) {
    const [number = "", date, time, lines = ""] = row.split(",");
    const index = chooseStore(random);
    const store = stores[index]!;
    const wall = Date.parse(`${date}T${time}Z`);
    const orderedAt = momentOf(store.time_zone, wall);
    yield makeOrder({
      orderId: `2015-${number.padStart(6, "0")}`,
      store,
      orderedAt,
      guest: guestAt(index, wall, random),
      basket: readBasket(lines, pizzas),
      sending: send(store, orderedAt + random.integer(1000, 3000), random),
    });
  }
}

/** `hawaiian_m ital_supr_l*2`: pizzas joined by blanks, each with its quantity unless that is one. */
function readBasket(text: string, pizzas: Catalog["pizzas"]): BasketItem[] {
  return text.split(" ").map((item) => {
    const [id = "", quantity = "1"] = item.split("*");
    const pizza = pizzas.get(id);
    if (pizza === undefined) throw new Error(`classic year: pizza "${id}" is not on the menu; build data/ again`);
    return { pizza, quantity: Number(quantity) };
  });
}
