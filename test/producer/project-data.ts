import { readFileSync } from "node:fs";
import { readMenu, readStores } from "../../adapters/project-files.ts";
import type { Patterns } from "../../producer/patterns.ts";
import type { StoreProfile } from "../../producer/tills.ts";

/** The text of a file in `data/`. */
export function dataFile(name: string): string {
  return readFileSync(new URL(`../../data/${name}`, import.meta.url), "utf8");
}

export const csv = dataFile("classic-2015.csv");
export const patterns: Patterns = JSON.parse(dataFile("patterns.json"));
/** Copies of the original menu and stores: `test/fixtures/catalog`. */
export const menu = readMenu();
export const stores = readStores<StoreProfile>();
