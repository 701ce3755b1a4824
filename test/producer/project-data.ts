import { readFileSync } from "node:fs";
import type { Pizza } from "../../pipeline/domain/catalog.ts";
import type { Patterns } from "../../producer/patterns.ts";
import type { StoreProfile } from "../../producer/tills.ts";

/** The text of a file in `data/`. */
export function dataFile(name: string): string {
  return readFileSync(new URL(`../../data/${name}`, import.meta.url), "utf8");
}

export const csv = dataFile("classic-2015.csv");
export const menu: Pizza[] = JSON.parse(dataFile("menu.json"));
export const stores: StoreProfile[] = JSON.parse(dataFile("stores.json"));
export const patterns: Patterns = JSON.parse(dataFile("patterns.json"));
