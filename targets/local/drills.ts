import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { readMenu, readProjectJson, readStores } from "../../adapters/project-files.ts";
import { storesOn } from "../../pipeline/domain/catalog.ts";
import type { Receipt } from "../../pipeline/domain/receipt.ts";
import type { OrderEvent } from "../../pipeline/domain/generated/order-event.types.ts";
import type { EventSink } from "../../pipeline/ports.ts";
import { emptyTally, type FaultKind } from "../../producer/fault-kinds.ts";
import { withFaults } from "../../producer/faults.ts";
import { paced } from "../../producer/pace.ts";
import type { Patterns } from "../../producer/patterns.ts";
import { createSender } from "../../producer/send-orders.ts";
import { simulateOrders } from "../../producer/simulator.ts";
import type { StoreProfile } from "../../producer/tills.ts";
import { drills, type Drill, type DrillName, type DrillReport, type DrillRow } from "./drill-kinds.ts";

/** What a drill acts on. */
export interface DrillTarget {
  sink: EventSink;
  /** Makes landing fail for some milliseconds. */
  failLanding: (milliseconds: number) => void;
  /** Kills PostgreSQL; returns its process id. */
  killPostgres: () => Promise<number>;
  /** Resolves when everything sent before is in gold. */
  drain: () => Promise<void>;
  verify: () => Promise<Receipt>;
}

const landingFailsMs = 4000;

/** Sends a drill's orders, breaks what it breaks, and compares the receipts before and after. */
export async function runDrill(name: DrillName, target: DrillTarget): Promise<DrillReport> {
  const { does, fault, breaks, ...traffic }: Drill = drills[name];
  await target.drain();
  const before = await target.verify();
  const started = performance.now();
  const seconds = () => Math.round(performance.now() - started) / 1000;
  const breaking = breakIt(breaks, target);
  const sent = await sendOrders(target.sink, { ...traffic, fault });
  const broke = await breaking;
  const sentIn = seconds();
  await target.drain();
  const inGold = seconds();
  const receipt = await target.verify();
  const rows = compare(before, receipt, { orders: traffic.orders, fault, ...sent });
  const otherEvents = receipt.events.distinct - before.events.distinct - sent.events;
  const known = new Set(before.findings.map(({ invariant, sentence }) => invariant + sentence));
  const isFoundBefore = receipt.findings.every(({ invariant, sentence }) => known.has(invariant + sentence));
  const isAsPromised = rows.every((row) => row.after - row.before === row.promised);
  return {
    drill: name,
    does,
    broke,
    rows,
    otherEvents,
    seconds: { sent: sentIn, inGold },
    receipt,
    isKept: isFoundBefore && (isAsPromised || otherEvents > 0),
  };
}

/** Sends simulated orders, each with the fault; returns the events that were sent and the amount of all orders. */
async function sendOrders(
  sink: EventSink,
  { orders, rate, fault }: Pick<Drill, "orders" | "rate"> & { fault: FaultKind | undefined },
): Promise<{ events: number; cents: number }> {
  const stores = readStores<StoreProfile>();
  const seed = randomInt(2 ** 31);
  const simulated = simulateOrders({
    seed,
    orders,
    menu: readMenu(),
    stores: storesOn(stores, new Date().toISOString().slice(0, 10)),
    patterns: readProjectJson<Patterns>("data/patterns.json"),
  });
  let cents = 0;
  const counted = (function* () {
    for (const order of simulated) {
      cents += centsOf(order);
      yield order;
    }
  })();
  const outgoing = withFaults(counted, { seed, stores, live: true, ...(fault !== undefined && { [fault]: 1 }) });
  const sender = createSender({ sink });
  for await (const event of paced(outgoing, { rate })) await sender.send(event);
  const { events } = await sender.close();
  return { events, cents };
}

function centsOf({ lines }: OrderEvent): number {
  return lines.reduce((cents, { quantity, unit_price: price }) => cents + Math.round(price * 100) * quantity, 0);
}

async function breakIt(what: Drill["breaks"], { failLanding, killPostgres }: DrillTarget): Promise<string | null> {
  if (what === undefined) return null;
  if (what === "landing") {
    failLanding(landingFailsMs);
    return `every invocation of landing failed for ${landingFailsMs / 1000} s`;
  }
  // Some orders are on their way to gold by then.
  await sleep(700);
  return `PostgreSQL, process ${await killPostgres()}, was killed`;
}

/** The receipt's rows before and after, with what the tills know: how many events and orders, and for how much. */
function compare(
  before: Receipt,
  after: Receipt,
  sent: { events: number; orders: number; cents: number; fault: FaultKind | undefined },
): DrillRow[] {
  const of = { ...emptyTally(), ...(sent.fault !== undefined && { [sent.fault]: sent.orders }) };
  const orders = sent.orders - of.cancelled - of.unknown_pizza;
  const cents = orders === 0 ? 0 : sent.cents;
  const count = (name: string, read: (receipt: Receipt) => number, promised: number): DrillRow => ({
    name,
    unit: "count",
    before: read(before),
    after: read(after),
    promised,
  });
  const amount = (layer: "expected" | "silver" | "gold", name: string): DrillRow => ({
    ...count(`sales in ${name}`, (receipt) => receipt[layer].cents, cents),
    unit: "cents",
  });
  return [
    count("events", ({ events }) => events.distinct, sent.events),
    count("accepted", ({ events }) => events.accepted, sent.orders - of.unknown_pizza),
    count("event duplicates", ({ events }) => events.eventDuplicates, of.duplicates),
    count("superseded revisions", ({ events }) => events.supersededRevisions, of.cancelled),
    count("quarantined", ({ events }) => sum(Object.values(events.quarantined)), of.unknown_pizza),
    count("orders sold", ({ gold }) => gold.orders, orders),
    amount("expected", "bronze"),
    amount("silver", "silver"),
    amount("gold", "gold"),
  ];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
