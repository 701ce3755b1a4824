import { readFileSync } from "node:fs";
import { readProjectFile, readProjectJson } from "../../lambdas/adapters/project-files.ts";
import { createStores, type Pizza } from "../../lambdas/domain/catalog.ts";
import type { OrderEvent } from "../../lambdas/domain/generated/order-event.types.ts";
import { validOn } from "../../lambdas/domain/validity.ts";
import type { EventSink } from "../../lambdas/ports.ts";
import { classicOrders } from "../../lambdas/producer/classic-year.ts";
import { parseFaults, type FaultTally } from "../../lambdas/producer/fault-kinds.ts";
import { withFaults } from "../../lambdas/producer/faults.ts";
import type { Outgoing } from "../../lambdas/producer/outgoing.ts";
import { paced } from "../../lambdas/producer/pace.ts";
import type { Patterns } from "../../lambdas/producer/patterns.ts";
import { createRandom } from "../../lambdas/producer/random.ts";
import { inSchemaVersion, schemaVersions } from "../../lambdas/producer/schema-version.ts";
import { createSender } from "../../lambdas/producer/send-orders.ts";
import { simulateOrders } from "../../lambdas/producer/simulator.ts";
import type { StoreProfile } from "../../lambdas/producer/store-profile.ts";
import { count, endProgress, printJson, progress, say, UsageError } from "../output.ts";
import { numberOption, oneOf, wholeNumber, type Command, type Values } from "../options.ts";
import { withHome } from "../with-home.ts";
import { produceInBackground, stopProducer } from "./background.ts";

const sendingOptions = {
  linger: { type: "string", about: "milliseconds that an event waits for company in its batch (100)" },
  "batch-bytes": { type: "string", about: "bytes of a batch before compression (196608)" },
  batch: { type: "string", about: "zstd, gzip, or off: one event a record (zstd)" },
  faults: { type: "string", about: "what goes wrong: all=0.01, or duplicates=0.05,late=0.01,...; none by default" },
  "schema-version": { type: "string", about: "of the events: 1, 2 (promotion codes and tips), or mixed, by till (1)" },
  seed: { type: "string", about: "chooses what is invented and what goes wrong; same seed, same bytes" },
  wait: { type: "boolean", about: "wait until all is in gold" },
} as const;

export const replay: Command = {
  summary: "send the classic year: 21,350 orders of 2015",
  usage: "replay classic [--speed max|N] [--shuffle SEED] [--faults LIST] [--wait]",
  options: {
    speed: { type: "string", about: "max, or so many times faster than the year itself (max)" },
    shuffle: { type: "string", about: "send the orders in a random order, chosen by this seed" },
    ...sendingOptions,
  },
  async run(values, [what, ...rest]) {
    if (what !== "classic" || rest.length > 0)
      throw new UsageError(`say what to replay: classic\nusage: pizza ${replay.usage}`);
    const speed = values["speed"] === "max" ? undefined : numberOption(values, "speed", { min: 0.001, max: 1e9 });
    const shuffle = wholeNumber(values, "shuffle", { min: 0, max: Number.MAX_SAFE_INTEGER });
    const { outgoing, tally } = faulty(classicYear(shuffle), values, { live: false });
    await sendAll(speed === undefined ? outgoing : atSpeed(outgoing, speed), values, tally);
  },
};

export const produce: Command = {
  summary: "send invented orders that follow the classic year's patterns, or a file as it is",
  usage:
    "produce [--rate N] [--orders N] [--seed N] [--faults LIST] [--from DATE] [--stores N] [--file FILE] [--wait] [--background | --stop]",
  options: {
    rate: { type: "string", about: "orders a second (10); live orders bear the time at which they are sent" },
    orders: { type: "string", about: "how many (endless until Ctrl-C)" },
    from: { type: "string", about: "a history from this date on, at full speed, instead of live orders" },
    stores: { type: "string", about: "the first so many of the stores (all)" },
    file: { type: "string", about: "send each line of this file as an event, whatever it holds" },
    background: { type: "boolean", about: "go on without this terminal, into a home that runs" },
    stop: { type: "boolean", about: "stop the one that goes on in the background" },
    ...sendingOptions,
  },
  async run(values) {
    if (values.home !== "embedded" && (values["stop"] === true || values["background"] === true)) {
      throw new UsageError(
        "--background and --stop are for the embedded home: produce in the foreground, Ctrl-C ends it",
      );
    }
    if (values["stop"] === true) return await stopProducer(values);
    if (values["background"] === true) return produceInBackground(values);
    if (values["file"] !== undefined) return await sendAll(linesOf(String(values["file"])), values);
    const rate = numberOption(values, "rate", { min: 0.001, max: 1e6 });
    const orders = wholeNumber(values, "orders", { min: 1, max: 1e9 });
    const startAt = dateOption(values, "from");
    if (startAt !== undefined && orders === undefined) throw new UsageError("--from needs --orders: how many");
    const { outgoing, tally } = faulty(simulated(values, { orders, startAt }), values, { live: startAt === undefined });
    const isPaced = startAt === undefined || rate !== undefined;
    await sendAll(isPaced ? paced(outgoing, { rate: rate ?? 10 }) : outgoing, values, tally);
  },
};

const classicStart = Date.UTC(2015, 0, 1);

/** The classic year in its own order, or shuffled by a seed. */
export function classicYear(shuffle?: number): Iterable<OrderEvent> {
  const orders = classicOrders({
    csv: readProjectFile("data/classic-2015.csv"),
    menu: menu(),
    stores: stores(classicStart),
  });
  return shuffle === undefined ? orders : createRandom("shuffle", shuffle).shuffle([...orders]);
}

function simulated(values: Values, { orders, startAt }: { orders: number | undefined; startAt: number | undefined }) {
  const all = stores(startAt);
  const some = wholeNumber(values, "stores", { min: 1, max: all.length }) ?? all.length;
  return simulateOrders({
    seed: seedOf(values),
    menu: menu(),
    stores: all.slice(0, some),
    patterns: readProjectJson<Patterns>("data/patterns.json"),
    ...(orders !== undefined && { orders }),
    ...(startAt !== undefined && { startAt }),
  });
}

function faulty(events: Iterable<OrderEvent>, values: Values, { live }: { live: boolean }) {
  let rates;
  try {
    rates = parseFaults(typeof values["faults"] === "string" ? values["faults"] : "none");
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const version = oneOf(values, "schema-version", schemaVersions) ?? "1";
  const sent = inSchemaVersion(events, { version, seed: seedOf(values) });
  const outgoing = withFaults(sent, { ...rates, seed: seedOf(values), stores: allStores(), live });
  return { outgoing, tally: outgoing.tally };
}

/** Pauses so that the distance between two moments of sending shrinks by `speed`. */
async function* atSpeed(outgoing: Iterable<Outgoing>, speed: number): AsyncGenerator<Outgoing> {
  const started = Date.now();
  let first: number | undefined;
  for (const item of outgoing) {
    const emitted = Date.parse(/"emitted_at":"([^"]+)"/.exec(Buffer.from(item.bytes).toString("latin1"))?.[1] ?? "");
    first ??= Number.isNaN(emitted) ? undefined : emitted;
    const due = first === undefined || Number.isNaN(emitted) ? 0 : started + (emitted - first) / speed;
    if (due > Date.now()) await new Promise((resolve) => setTimeout(resolve, due - Date.now()));
    yield item;
  }
}

function* linesOf(path: string): Generator<Outgoing> {
  const bytes = readFileSync(path);
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(10, start);
    const end = newline === -1 ? bytes.length : newline;
    yield { producerId: `file ${path}`, bytes: bytes.subarray(start, end) };
    start = end + 1;
  }
}

async function sendAll(
  events: Iterable<Outgoing> | AsyncIterable<Outgoing>,
  values: Values,
  tally?: FaultTally,
): Promise<void> {
  const sent = await withHome(values, async (home, { isRunning }) => {
    const summary = await send(home.sink, events, values);
    // A home that was opened for this command must not close on orders that are still under way.
    if (values["wait"] === true || !isRunning) await home.drain();
    return summary;
  });
  const faults = Object.fromEntries(Object.entries(tally ?? {}).filter(([, times]) => times > 0));
  if (values.json) return printJson({ ...sent, faults });
  say(
    `sent ${count(sent.events)} events in ${count(sent.records)} records, ${count(sent.bytes)} bytes, ${sent.seconds} s`,
  );
  for (const [fault, times] of Object.entries(faults)) say(`  ${fault}: ${count(times)}`);
}

/** Sends events until they end or Ctrl-C comes; resolves when the stream has acknowledged every one. */
export async function send(sink: EventSink, events: Iterable<Outgoing> | AsyncIterable<Outgoing>, values: Values) {
  const batchBytes = wholeNumber(values, "batch-bytes", { min: 1, max: 512 * 1024 });
  const lingerMs = numberOption(values, "linger", { min: 0, max: 60_000 });
  const batch = oneOf(values, "batch", ["zstd", "gzip", "off"]);
  const started = Date.now();
  const sender = createSender({
    sink,
    ...(batchBytes !== undefined && { batchBytes }),
    ...(lingerMs !== undefined && { lingerMs }),
    ...(batch !== undefined && { batch }),
    onProgress: ({ events: done }) => progress(`sent ${count(done)} events`),
  });
  let interrupted = false;
  const interrupt = (): void => void (interrupted = true);
  process.once("SIGINT", interrupt);
  for await (const event of events) {
    await sender.send(event);
    if (interrupted) break;
  }
  const summary = await sender.close();
  process.removeListener("SIGINT", interrupt);
  endProgress();
  return { ...summary, seconds: (Date.now() - started) / 1000 };
}

function seedOf(values: Values): number {
  return wholeNumber(values, "seed", { min: 0, max: Number.MAX_SAFE_INTEGER }) ?? 1;
}

function dateOption(values: Values, name: string): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const moment = Date.parse(String(text));
  if (Number.isNaN(moment)) throw new UsageError(`--${name} ${text}: give a date such as 2026-01-31`);
  return moment;
}

function menu(): Pizza[] {
  return readProjectJson("data/menu.json");
}

function allStores(): StoreProfile[] {
  return readProjectJson("data/stores.json");
}

/** The stores as they are on the day on which the orders begin. */
function stores(from = Date.now()): StoreProfile[] {
  const versions = [...createStores(allStores()).values()];
  const day = new Date(from).toISOString().slice(0, 10);
  return versions.map((store) => validOn(store, day)).filter((store) => store !== undefined);
}
