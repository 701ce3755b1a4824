import { readFileSync } from "node:fs";
import type { Pizza } from "../../lambdas/domain/catalog.ts";
import type { Patterns } from "../../lambdas/producer/patterns.ts";
import type { StoreProfile } from "../../lambdas/producer/store-profile.ts";

/** The text of a file in `data/`. */
export function dataFile(name: string): string {
  return readFileSync(new URL(`../../data/${name}`, import.meta.url), "utf8");
}

export const csv = dataFile("classic-2015.csv");
export const menu: Pizza[] = JSON.parse(dataFile("menu.json"));
export const stores: StoreProfile[] = JSON.parse(dataFile("stores.json"));
export const patterns: Patterns = JSON.parse(dataFile("patterns.json"));
