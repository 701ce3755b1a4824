import { join } from "node:path";
import { z } from "zod";
import { openFolderStore } from "../../adapters/folder-store.ts";
import type { Pizza, Store } from "../../pipeline/domain/catalog.ts";
import type { RebuildRequest } from "../../pipeline/rebuild/rebuild.ts";
import { lacksBronze, type RebuildReport } from "../../pipeline/rebuild/report.ts";
import { openSilver } from "../../pipeline/silver/tables.ts";
import type { DataDirectory } from "./data-directory.ts";
import { readIfPresent, replaceFile } from "./stream/durable-files.ts";

/** The menu and the stores, as in their files. */
export interface UsedCatalog {
  menu: readonly Pizza[];
  stores: readonly Store[];
}

const day = z
  .string()
  .nullish()
  .transform((date) => date ?? null);
/** Only what enriches an order; the rest of the files is for `./pizza produce`. */
const storedCatalog = z.object({
  menu: z.array(
    z.object({
      pizza_id: z.string(),
      pizza_type_id: z.string(),
      name: z.string(),
      category: z.string(),
      size: z.string(),
      price_cents: z.number(),
      cost_cents: z.number(),
      valid_from: day,
      valid_to: day,
    }),
  ),
  stores: z.array(
    z.object({
      store_id: z.string(),
      city: z.string(),
      state: z.string(),
      time_zone: z.string(),
      valid_from: day,
      valid_to: day,
    }),
  ),
});

const pathOf = ({ root }: DataDirectory): string => join(root, "catalog.json");

/** Stores the menu and the stores that this data directory's orders are enriched with. */
export async function storeCatalog(folder: DataDirectory, catalog: UsedCatalog): Promise<void> {
  const text = `${JSON.stringify(storedCatalog.parse(catalog))}\n`;
  if ((await readIfPresent(pathOf(folder))) !== text) await replaceFile(pathOf(folder), text);
}

/**
 * Throws if menu or stores have changed for days before silver's newest one since they were last used: the orders that
 * silver has would keep the old price or city, and later ones of the same day get the new. New pizzas and stores, and
 * changes from the newest day on, are no such change. A data directory of an earlier release has nothing stored, and
 * passes.
 */
export async function rejectChangedCatalog(folder: DataDirectory, catalog: UsedCatalog): Promise<void> {
  const path = pathOf(folder);
  const text = await readIfPresent(path);
  if (text === undefined) return;
  const known = parse(path, text);
  const silver = openSilver({ store: openFolderStore(folder.lake), clock: Date.now });
  const newest = [...(await silver.snapshot()).partitions.keys()].toSorted().at(-1);
  if (newest === undefined) return;
  const changed = changedBefore(newest, known, storedCatalog.parse(catalog));
  if (changed.length === 0) return;
  const more = changed.length > 3 ? ` and ${changed.length - 3} more` : "";
  throw new Error(
    `data/menu.json or data/stores.json has changed for days before ${newest}, which silver already has: ` +
      `${changed.slice(0, 3).join(", ")}${more}. Undo the change, apply it to all orders with ./pizza rebuild, ` +
      "or apply it only to orders that arrive from now on with ./pizza start --changed-catalog",
  );
}

/** Whether a rebuild has brought every day to the current menu and stores. */
export function appliesCatalog({ from, to, source, isDryRun }: RebuildRequest, report: RebuildReport): boolean {
  const isOfAll = from <= "2000-01-01" && to >= "2199-12-31" && source === "bronze";
  return isOfAll && !isDryRun && !lacksBronze(report) && (report.equal || report.published);
}

function parse(path: string, text: string): UsedCatalog {
  try {
    return storedCatalog.parse(JSON.parse(text));
  } catch (cause) {
    throw new Error(
      `${path} is damaged: restore it from a copy, or remove it if data/menu.json and data/stores.json are unchanged`,
      { cause },
    );
  }
}

/** Names of the pizzas and stores that are different on some day before `newest`. */
function changedBefore(newest: string, before: UsedCatalog, now: UsedCatalog): string[] {
  return [
    ...changedItems(newest, [before.menu, now.menu], ({ pizza_id: id }) => id),
    ...changedItems(newest, [before.stores, now.stores], ({ store_id: id }) => id),
  ];
}

function changedItems<Item extends Pizza | Store>(
  newest: string,
  [before, now]: readonly [readonly Item[], readonly Item[]],
  idOf: (item: Item) => string,
): string[] {
  const [known, current] = [before, now].map((items) => Map.groupBy(items, idOf));
  return [...known!]
    .filter(([id, items]) => history(items, newest) !== history(current!.get(id) ?? [], newest))
    .map(([id]) => id);
}

/** The versions that were valid before a day, as text. */
function history(items: readonly (Pizza | Store)[], until: string): string {
  const versions = items
    .filter(({ valid_from: from }) => (from ?? "") < until)
    .map(({ valid_from: from, valid_to: to, ...item }) => {
      const end = (to ?? "9999-12-31") >= until ? "" : to;
      return JSON.stringify([from ?? "", end, item]);
    });
  return versions.toSorted().join("\n");
}
