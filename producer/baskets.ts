import { createMenu, type Pizza, validOn, type Versions } from "../pipeline/domain/catalog.ts";
import { daypartOf } from "./customers.ts";
import type { BasketItem } from "./make-order.ts";
import type { Patterns } from "./patterns.ts";
import { createChoice, type Random } from "./random.ts";
import { dateOf } from "./wall-clock.ts";

/** A pizza that is not on the day's menu is drawn again, so often. */
const mostDraws = 1000;

/**
 * Draws what is ordered at a moment of the store's clock (milliseconds, read as if it were UTC): how many pizzas by the
 * part of the day, then each of them by type and by size given the type, as far as they are on the menu of that day. The
 * same pizza drawn twice becomes one line, which is how the data's quantities came about. Throws where the patterns know
 * a pizza that the menu does not.
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
  throw new Error(`menu: hardly a pizza is sold on ${day}; see valid_from and valid_to in data/menu.json`);
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
  if (pizza === undefined) throw new Error(`patterns: ${type} in size ${size} is not on the menu; build data/ again`);
  return pizza;
}

/** Heaviest first, so that a choice is found early. */
function weighted(weights: Readonly<Record<string, number>>): [string, number][] {
  return Object.entries(weights).toSorted(([, one], [, other]) => other - one);
}
