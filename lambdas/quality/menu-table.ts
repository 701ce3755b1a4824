import type { Catalog } from "../domain/catalog.ts";

const columns = ["pizza_id", "pizza_type_id", "category", "size", "price_cents", "cost_cents"] as const;

/** Lake SQL that may ask a table `menu`: one row per pizza and range of days, from `valid_from` to before `valid_to`. */
export function withMenu(sql: string, { pizzas }: Pick<Catalog, "pizzas">): string {
  const rows = [...pizzas.values()].flat().map((pizza) => {
    const cells = columns.map((name) => literal(pizza[name]));
    const range = [pizza.valid_from ?? "0001-01-01", pizza.valid_to ?? "9999-12-31"];
    return `(${[...cells, ...range.map((day) => `date ${literal(day)}`)].join(", ")})`;
  });
  const names = [...columns, "valid_from", "valid_to"].join(", ");
  return `with menu (${names}) as (values ${rows.join(", ")})\n${sql}`;
}

function literal(value: string | number): string {
  return typeof value === "number" ? String(value) : `'${value.replaceAll("'", "''")}'`;
}
