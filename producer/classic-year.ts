import { createMenu, type Catalog, type Pizza, storesOn } from "../pipeline/domain/catalog.ts";
import type { OrderEvent } from "../pipeline/domain/generated/order-event.types.ts";
import { createGuests } from "./customers.ts";
import { makeOrder, type BasketItem } from "./make-order.ts";
import { createChoice, createRandom } from "./random.ts";
import { createTills, type StoreProfile } from "./tills.ts";
import { momentOf } from "../pipeline/domain/wall-clock.ts";

/**
 * The classic year as order events, in the order of the data. Items and wall clock times are from the data; store,
 * till, channel and guest are invented from the seed. Equal input gives equal bytes. Throws if the CSV
 * (`data/classic-2015.csv`) contains a pizza that is not on the menu. `stores` may include later stores and versions;
 * the year uses those that were open when it began.
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
  const send = createTills({ isReplay: true });
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

/** Parses `hawaiian_m ital_supr_l*2`: pizzas separated by spaces, with the quantity if it is not 1. */
function readBasket(text: string, pizzas: Catalog["pizzas"]): BasketItem[] {
  return text.split(" ").map((item) => {
    const [id = "", quantity = "1"] = item.split("*");
    const pizza = pizzas.get(id);
    if (pizza === undefined) throw new Error(`classic year: pizza "${id}" is not on the menu: build data/ again`);
    return { pizza, quantity: Number(quantity) };
  });
}
