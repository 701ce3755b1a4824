import { join } from "node:path";
import { readMenu, readProjectFile, readStores } from "../adapters/project-files.ts";
import type { OrderEvent } from "../pipeline/domain/generated/order-event.types.ts";
import { classicOrders } from "../producer/classic-year.ts";
import type { StoreProfile } from "../producer/tills.ts";
import { bronzeForms, openBronze, prepareBronze, type BronzeForm } from "./busy-chain.ts";
import type { BenchSetting } from "./case.ts";

/** Creates bronze of the classic year in each form if it is missing. */
export function prepareClassicYear({ dir }: BenchSetting): Promise<void> {
  return prepareBronze(folderOf(dir), bronzeForms, classicEvents);
}

/** The classic year's events, in chronological order. */
export function classicEvents(): Generator<OrderEvent, void, undefined> {
  return classicOrders({
    csv: readProjectFile("data/classic-2015.csv"),
    menu: readMenu(),
    stores: readStores<StoreProfile>(),
  });
}

/** The prepared bronze of the classic year. */
export function openClassicYear({ dir }: BenchSetting, form: BronzeForm) {
  return openBronze(folderOf(dir), form);
}

function folderOf(dir: string): string {
  return join(dir, "classic-year");
}
