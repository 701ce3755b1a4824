/**
 * Builds `data/` from a folder with the published data set: `node scripts/build-data.ts SOURCE_FOLDER [TARGET_FOLDER]`.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Pizza } from "../pipeline/domain/catalog.ts";
import { createRandom } from "../producer/random.ts";
import { simulatorPatterns } from "./build-patterns.ts";

/** Price range of ingredients, by the first pattern that matches the name, in cents for a medium pizza. */
const kinds: readonly [RegExp, number, number][] = [
  [/Brie Carre/, 410, 430],
  [/Prosciutto|Roast/, 80, 95],
  [/Chicken|Salami|Sausage|Capocollo|Pancetta|Ham|Bacon|Pepperoni|Anchovies/, 62, 85],
  [/Cheese/, 55, 75],
  [/Sauce/, 38, 48],
  [/Thyme|Oregano|Cilantro|Garlic/, 20, 30],
  [/Artichoke|Sun-dried|Olives|Pears|Arugula|verdi/, 38, 50],
  [/./, 28, 42],
];

/** Dough, tomato, base cheese and box in cents, and the topping portion as a share of a medium pizza's. */
const sizes: Record<string, { base_cents: number; portion: number }> = {
  S: { base_cents: 165, portion: 0.75 },
  M: { base_cents: 225, portion: 1 },
  L: { base_cents: 290, portion: 1.3 },
  XL: { base_cents: 360, portion: 1.65 },
  XXL: { base_cents: 480, portion: 2.4 },
};

const costSeed = "ingredient costs, 2015";

/** Content of the generated files by name; `read` returns the text of a file of the published data set. */
export function buildData(read: (name: string) => string): Record<string, string> {
  const recipes = readRecipes(read("pizza_types.csv"));
  const ingredients = ingredientCosts(Object.values(recipes).flatMap(({ ingredients: names }) => names));
  const recipeList = Object.fromEntries(Object.entries(recipes).map(([type, recipe]) => [type, recipe.ingredients]));
  return {
    "classic-2015.csv": classicYear(read("orders.csv"), read("order_details.csv")),
    "menu.json": lines(buildMenu(read("pizzas.csv"), recipes, ingredients)),
    "ingredient-costs.json": json({
      about: "Invented. Cents of one topping on a medium pizza of five toppings; more toppings mean smaller portions.",
      seed: costSeed,
      sizes,
      ingredients,
      recipes: recipeList,
    }),
    "patterns.json": json(simulatorPatterns(JSON.parse(read("patterns.json")))),
    "LICENSE.md": read("LICENSE.md"),
  };
}

interface Recipe {
  name: string;
  category: string;
  ingredients: string[];
}

function readRecipes(csv: string): Record<string, Recipe> {
  return Object.fromEntries(
    rows(csv).map(([type, name, category, ingredients]) => [
      type!,
      { name: name!, category: category!, ingredients: ingredients!.split(", ") },
    ]),
  );
}

function ingredientCosts(names: string[]): Record<string, number> {
  return Object.fromEntries(
    [...new Set(names)].toSorted().map((name) => {
      const [, from, to] = kinds.find(([pattern]) => pattern.test(name))!;
      return [name, createRandom(costSeed, name).integer(from, to)];
    }),
  );
}

function buildMenu(csv: string, recipes: Record<string, Recipe>, ingredients: Record<string, number>): Pizza[] {
  return rows(csv).map(([pizza_id, type, size, price]) => {
    const recipe = recipes[type!]!;
    const { base_cents, portion } = sizes[size!]!;
    const medium = recipe.ingredients.reduce((sum, name) => sum + ingredients[name]!, 0);
    const share = (5 / recipe.ingredients.length) ** 0.5;
    return {
      pizza_id: pizza_id!,
      pizza_type_id: type!,
      name: recipe.name,
      category: recipe.category,
      size: size!,
      price_cents: Math.round(Number(price) * 100),
      cost_cents: base_cents + Math.round(medium * share * portion),
      valid_from: null,
      valid_to: null,
    };
  });
}

function classicYear(orders: string, details: string): string {
  const ordered = new Map<string, string[]>();
  for (const [, order, pizza, quantity] of rows(details)) {
    if (!ordered.has(order!)) ordered.set(order!, []);
    ordered.get(order!)!.push(quantity === "1" ? pizza! : `${pizza}*${quantity}`);
  }
  const body = rows(orders).map(([id, date, time]) => `${id},${date},${time},${ordered.get(id!)!.join(" ")}\n`);
  return `order_id,date,time,lines\n${body.join("")}`;
}

/** The rows below the header; a quoted field may contain commas but no quotes. */
function rows(csv: string): string[][] {
  const body = csv.trimEnd().split(/\r?\n/).slice(1);
  return body.map((row) => [...row.matchAll(/(?:^|,)(?:"([^"]*)"|([^,]*))/g)].map((field) => field[1] ?? field[2]!));
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function lines(items: readonly unknown[]): string {
  return `[\n${items.map((item) => `  ${JSON.stringify(item)}`).join(",\n")}\n]\n`;
}

if (import.meta.main) {
  const [source, target = join(import.meta.dirname, "../data")] = process.argv.slice(2);
  if (source === undefined) throw new Error("build-data: SOURCE_FOLDER is missing: give the folder of the data set");
  mkdirSync(target, { recursive: true });
  for (const [name, content] of Object.entries(buildData((file) => readFileSync(join(source, file), "utf8")))) {
    writeFileSync(join(target, name), content);
  }
}
