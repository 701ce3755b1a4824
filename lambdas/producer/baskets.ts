import type { Pizza } from "../domain/catalog.ts";
import { daypartOf } from "./guests.ts";
import type { BasketItem } from "./make-order.ts";
import type { Patterns } from "./patterns.ts";
import { createChoice, type Random } from "./random.ts";

/**
 * Draws what is ordered at an hour: how many pizzas by the part of the day, then each of them by type and by size given
 * the type. The same pizza drawn twice becomes one line, which is how the data's quantities came about. Throws where
 * the patterns know a pizza that the menu does not.
 */
export function createBaskets(
  patterns: Patterns,
  menu: readonly Pizza[],
): (hour: number, random: Random) => BasketItem[] {
  const choosePizza = createPizzaChoice(patterns, menu);
  const counts = Object.fromEntries(
    Object.entries(patterns.pizzas_per_order).map(([daypart, weights]) => [daypart, createChoice(weighted(weights))]),
  );
  return (hour, random) => {
    const basket: BasketItem[] = [];
    for (let left = Number(counts[daypartOf(hour)]!(random)); left > 0; left--) {
      const pizza = choosePizza(random);
      const line = basket.find((item) => item.pizza === pizza);
      if (line === undefined) basket.push({ pizza, quantity: 1 });
      else line.quantity++;
    }
    return basket;
  };
}

function createPizzaChoice(patterns: Patterns, menu: readonly Pizza[]): (random: Random) => Pizza {
  const byType = new Map(
    Object.entries(patterns.size_weights).map(([type, weights]) => [
      type,
      createChoice(weighted(weights).map(([size, weight]): [Pizza, number] => [find(menu, type, size), weight])),
    ]),
  );
  const chooseType = createChoice(weighted(patterns.pizza_type_weights));
  return (random) => byType.get(chooseType(random))!(random);
}

function find(menu: readonly Pizza[], type: string, size: string): Pizza {
  const pizza = menu.find((entry) => entry.pizza_type_id === type && entry.size === size);
  if (pizza === undefined) throw new Error(`patterns: ${type} in size ${size} is not on the menu; build data/ again`);
  return pizza;
}

/** Heaviest first, so that a choice is found early. */
function weighted(weights: Readonly<Record<string, number>>): [string, number][] {
  return Object.entries(weights).toSorted(([, one], [, other]) => other - one);
}
