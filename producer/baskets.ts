import { createMenu, validOn, type Pizza, type Versions } from "../pipeline/domain/catalog.ts";
import { daypartOf } from "./customers.ts";
import type { BasketItem } from "./make-order.ts";
import type { Patterns } from "./patterns.ts";
import { createChoice, type Random } from "./random.ts";
import { dateOf } from "../pipeline/domain/wall-clock.ts";

/** Maximum number of draws until a pizza is on the day's menu. */
const mostDraws = 1000;

/**
 * Draws the pizzas of an order at a time of the store's wall clock (milliseconds, as if in UTC): first their number by
 * part of the day, then each by type and by size given the type, from that day's menu. A pizza drawn twice becomes one
 * line, as in the published data. Throws if the patterns contain a pizza that is not on the menu.
 */
export function createBaskets(
  patterns: Patterns,
  menu: readonly Pizza[],
): (wall: number, random: Random) => BasketItem[] {
  const choosePizza = createPizzaChoice(patterns, menu);
  const counts = Object.fromEntries(
    Object.entries(patterns.pizzas_per_order).map(([daypart, weights]) => [daypart, createChoice(weighted(weights))]),
  );
  return (wall, random) => {
    const hour = Math.floor(wall / 3_600_000) % 24;
    const day = dateOf(wall);
    const basket: BasketItem[] = [];
    for (let left = Number(counts[daypartOf(hour)]!(random)); left > 0; left--) {
      const pizza = chooseOn(day, choosePizza, random);
      const line = basket.find((item) => item.pizza === pizza);
      if (line === undefined) basket.push({ pizza, quantity: 1 });
      else line.quantity++;
    }
    return basket;
  };
}

function chooseOn(day: string, choose: (random: Random) => Versions<Pizza>, random: Random): Versions<Pizza> {
  for (let draw = 0; draw < mostDraws; draw++) {
    const pizza = choose(random);
    if (validOn(pizza, day) !== undefined) return pizza;
  }
  throw new Error(`menu has almost no pizza on ${day}: check valid_from and valid_to in data/menu.json`);
}

function createPizzaChoice(patterns: Patterns, menu: readonly Pizza[]): (random: Random) => Versions<Pizza> {
  const pizzas = [...createMenu(menu).values()];
  const byType = new Map(
    Object.entries(patterns.size_weights).map(([type, weights]) => [
      type,
      createChoice(
        weighted(weights).map(([size, weight]): [Versions<Pizza>, number] => [find(pizzas, type, size), weight]),
      ),
    ]),
  );
  const chooseType = createChoice(weighted(patterns.pizza_type_weights));
  return (random) => byType.get(chooseType(random))!(random);
}

function find(pizzas: readonly Versions<Pizza>[], type: string, size: string): Versions<Pizza> {
  const pizza = pizzas.find(([entry]) => entry!.pizza_type_id === type && entry!.size === size);
  if (pizza === undefined) throw new Error(`patterns: ${type} in size ${size} is not on the menu: build data/ again`);
  return pizza;
}

/** Heaviest first, so that a choice is found early. */
function weighted(weights: Readonly<Record<string, number>>): [string, number][] {
  return Object.entries(weights).toSorted(([, one], [, other]) => other - one);
}
