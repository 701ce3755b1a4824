import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openFolderStore } from "../adapters/folder-store.ts";
import { readMenu, readProjectJson, readStores } from "../adapters/project-files.ts";
import { landRecords } from "../pipeline/bronze/land-records.ts";
import type { OrderEvent } from "../pipeline/domain/generated/order-event.types.ts";
import type { Patterns } from "../producer/patterns.ts";
import { simulateOrders } from "../producer/simulator.ts";
import type { StoreProfile } from "../producer/tills.ts";
import type { ObjectStore } from "../pipeline/ports.ts";
import { orderStream } from "../pipeline/silver/tables.ts";
import type { BenchSetting } from "./case.ts";
import { landPlain } from "./plain-landing.ts";
import { invocationsOf, streamRecords } from "./stream-records.ts";

const firstDay = Date.UTC(2024, 2, 1, 10);

/** Totals of the events sent. */
export interface Sent {
  events: number;
  lines: number;
  jsonBytes: number;
}

/** Form of the orders in bronze: in batches, one event per record, or as written by the naive landing. */
export type BronzeForm = (typeof bronzeForms)[number];

export const bronzeForms = ["batched", "single", "plain"] as const;

/** Share of the data for the slower variants, which would otherwise dominate the run time. */
const partShare = 0.5;

export interface PreparedBronze {
  store: ObjectStore;
  sent: Sent;
}

/**
 * Orders of a busy chain from a time on, reproducible by seed. A chain 15 times as busy as `data/stores.json` sells
 * about 25,000 lines a day.
 */
export function busyOrders({
  seed,
  startAt = firstDay,
  orders,
  busier = 15,
}: {
  seed: number;
  startAt?: number;
  orders?: number;
  busier?: number;
}) {
  const stores = readStores<StoreProfile>();
  return simulateOrders({
    seed,
    startAt,
    menu: readMenu(),
    patterns: readProjectJson<Patterns>("data/patterns.json"),
    stores: stores.map((store) => ({ ...store, weight: store.weight * busier })),
    ...(orders !== undefined && { orders }),
  });
}

/** Creates bronze of the busy chain's orders if it is missing: all of them in batches, a part in every form. */
export async function prepareBusyChain({ dir, size }: BenchSetting): Promise<void> {
  const part = size.lines * partShare;
  await prepareBronze(folderOf(dir, size.lines), ["batched"], () => untilLines(busyOrders({ seed: 1 }), size.lines));
  await prepareBronze(folderOf(dir, part), bronzeForms, () => untilLines(busyOrders({ seed: 1 }), part));
}

/** Lands the same events in some forms below `folder`; an existing folder is complete and kept. */
export async function prepareBronze(
  folder: string,
  forms: readonly BronzeForm[],
  events: () => Iterable<OrderEvent>,
): Promise<void> {
  if (existsSync(folder)) return;
  const draft = `${folder}.draft`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  writeFileSync(join(draft, "sent.json"), JSON.stringify(count(events())));
  for (const form of forms) await landAll(openFolderStore(join(draft, form)), form, events());
  renameSync(draft, folder);
}

async function landAll(store: ObjectStore, form: BronzeForm, events: Iterable<OrderEvent>): Promise<void> {
  const packing = form === "batched" ? "batched" : "single";
  for (const records of invocationsOf(await streamRecords(events, packing), packing)) {
    const clock = () => records.at(-1)!.arrivedAt;
    if (form === "plain") await landPlain(store, records);
    else await landRecords({ store, stream: orderStream, clock }, records);
  }
}

/** The prepared bronze of the busy chain: all of it, or the part that exists in every form. */
export function openBusyChain({ dir, size }: BenchSetting, form: BronzeForm, amount: "all" | "part"): PreparedBronze {
  return openBronze(folderOf(dir, amount === "all" ? size.lines : size.lines * partShare), form);
}

/** Opens bronze created by `prepareBronze`. */
export function openBronze(folder: string, form: BronzeForm): PreparedBronze {
  const sent: Sent = JSON.parse(readFileSync(join(folder, "sent.json"), "utf8"));
  return { store: openFolderStore(join(folder, form)), sent };
}

function folderOf(dir: string, lines: number): string {
  return join(dir, `busy-chain-${lines}`);
}

function* untilLines(events: Iterable<OrderEvent>, lines: number): Generator<OrderEvent> {
  let seen = 0;
  for (const event of events) {
    yield event;
    seen += event.lines.length;
    if (seen >= lines) return;
  }
}

function count(events: Iterable<OrderEvent>): Sent {
  const sent = { events: 0, lines: 0, jsonBytes: 0 };
  for (const event of events) {
    sent.events++;
    sent.lines += event.lines.length;
    sent.jsonBytes += Buffer.byteLength(JSON.stringify(event));
  }
  return sent;
}
