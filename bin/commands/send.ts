import { readFileSync } from "node:fs";
import { readMenu, readProjectFile, readProjectJson, readStores } from "../../adapters/project-files.ts";
import { storesOn } from "../../pipeline/domain/catalog.ts";
import { errorCode } from "../../pipeline/domain/errors.ts";
import type { OrderEvent } from "../../pipeline/domain/generated/order-event.types.ts";
import type { EventSink } from "../../pipeline/ports.ts";
import type { Outgoing } from "../../producer/batch-builder.ts";
import { classicOrders } from "../../producer/classic-year.ts";
import { faultNames, parseFaults, type FaultTally } from "../../producer/fault-kinds.ts";
import { withFaults } from "../../producer/faults.ts";
import { atSpeed, paced } from "../../producer/pace.ts";
import type { Patterns } from "../../producer/patterns.ts";
import { createRandom } from "../../producer/random.ts";
import { inSchemaVersion, schemaVersions } from "../../producer/schema-version.ts";
import { createSender, fitsRecord } from "../../producer/send-orders.ts";
import { simulateOrders } from "../../producer/simulator.ts";
import type { StoreProfile } from "../../producer/tills.ts";
import { parseMoment, numberOption, oneOf, wholeNumber, type Command, type Values } from "../options.ts";
import { count, endProgress, printJson, progress, say, UsageError } from "../output.ts";
import { withPipeline } from "../with-target.ts";
import { produceInBackground, stopProducer } from "./background.ts";

const sendingOptions = {
  linger: { type: "string", about: "milliseconds to wait for more events before sending a batch (default: 100)" },
  "batch-bytes": { type: "string", about: "maximum batch size in bytes before compression (default: 196608)" },
  batch: { type: "string", about: "batch compression: zstd, gzip, or off for one event per record (default: zstd)" },
  faults: {
    type: "string",
    about: `inject faults at these rates: all=0.01, or duplicates=0.05,late=0.01 (default: none); kinds: ${faultNames.join(", ")}`,
  },
  "schema-version": {
    type: "string",
    about: "event schema: 1, 2 (promotion codes and tips), or mixed by till (default: 1)",
  },
  seed: { type: "string", about: "random seed of orders and faults; the same seed sends the same bytes (default: 1)" },
  wait: { type: "boolean", about: "wait until everything sent is in gold" },
} as const;

export const replay: Command = {
  summary: "send the classic year: 21,350 orders of 2015",
  examples: ["replay classic", "replay classic --shuffle 3 --faults late=0.01 --wait"],
  usage: "replay classic [--speed max|N] [--shuffle SEED] [--faults LIST] [--wait]",
  mostWords: 1,
  options: {
    speed: { type: "string", about: "max, or how many times faster than real time (default: max)" },
    shuffle: { type: "string", about: "send the orders in a random order drawn from this seed" },
    ...sendingOptions,
  },
  async run(values, [what]) {
    if (what !== "classic") {
      const problem = what === undefined ? "no data set given" : `data set ${what} is unknown`;
      throw new UsageError(`${problem}: the only one is classic\nusage: ./pizza ${replay.usage}`);
    }
    const speed = values["speed"] === "max" ? undefined : numberOption(values, "speed", { min: 0.001, max: 1e9 });
    const shuffle = wholeNumber(values, "shuffle", { min: 0, max: Number.MAX_SAFE_INTEGER });
    const { outgoing, tally } = faulty(classicYear(shuffle), values, { live: false });
    if (speed === undefined) return await sendAll(() => outgoing, values, { tally, isPaced: false });
    return await sendAll((signal) => atSpeed(outgoing, { speed, momentOf: emittedAt, signal }), values, {
      tally,
      isPaced: true,
    });
  },
};

export const produce: Command = {
  summary: "send simulated orders that follow the classic year's patterns, or the lines of a file",
  examples: [
    "produce --rate 200 --orders 2000 --faults late=0.01 --wait",
    "produce --from 2026-09-01 --orders 3000 --seed 7",
  ],
  usage:
    "produce [--rate N] [--orders N] [--seed N] [--faults LIST] [--from DATE] [--stores N] [--file FILE] [--wait] [--background | --stop]",
  options: {
    rate: { type: "string", about: "orders per second (default: 10); live orders carry their sending time" },
    orders: { type: "string", about: "number of orders (default: until Ctrl-C)" },
    from: { type: "string", about: "send orders dated from this day on, at full speed, instead of live orders" },
    stores: { type: "string", about: "simulate only the first N stores (default: all)" },
    file: { type: "string", about: "send each line of this file as an event, without checking it" },
    background: { type: "boolean", about: "send from a background process to a running local pipeline" },
    stop: { type: "boolean", about: "stop the background process" },
    ...sendingOptions,
  },
  async run(values) {
    if (values.target !== "local" && (values["stop"] === true || values["background"] === true)) {
      throw new UsageError(
        "--background and --stop work only with --target local: produce in the foreground and end it with Ctrl-C",
      );
    }
    rejectIneffectiveOptions(values);
    if (values["stop"] === true) return await stopProducer(values);
    const start = readProduceOptions(values);
    if (values["background"] === true) return produceInBackground(values);
    return await start();
  },
};

/** An option that has no effect is a usage error, because the user expects it to have one. */
function rejectIneffectiveOptions(values: Values): void {
  const given = Object.keys(produce.options!).filter((name) => values[name] !== undefined);
  const reject = (option: string, besides: readonly string[]) => {
    const idle = given.filter((name) => name !== option && !besides.includes(name));
    if (given.includes(option) && idle.length > 0) {
      throw new UsageError(`--${idle[0]} has no effect with --${option}: remove it`);
    }
  };
  reject("stop", []);
  reject("file", ["background", "batch", "batch-bytes", "linger", "wait"]);
}

/** Validates every option before anything is opened; returns the function that sends the orders. */
function readProduceOptions(values: Values): () => Promise<number> {
  readSenderOptions(values, { isPaced: true });
  if (values["file"] !== undefined) {
    const { events, tooLong } = readEventLines(String(values["file"]));
    return () => sendAll(() => events, values, { tooLong, isPaced: false });
  }
  const rate = numberOption(values, "rate", { min: 0.001, max: 1e6 });
  const orders = wholeNumber(values, "orders", { min: 1, max: 1e9 });
  const startAt = dateOption(values, "from");
  if (startAt !== undefined && orders === undefined) throw new UsageError("--from also needs --orders N");
  const { outgoing, tally } = faulty(simulated(values, { orders, startAt }), values, { live: startAt === undefined });
  const isPaced = startAt === undefined || rate !== undefined;
  if (!isPaced) return () => sendAll(() => outgoing, values, { tally, isPaced });
  return () => sendAll((signal) => paced(outgoing, { rate: rate ?? 10, signal }), values, { tally, isPaced });
}

/** Range of dates that the event contract accepts in every store's time zone. */
const [firstFrom, lastFrom] = [Date.UTC(2000, 0, 2), Date.UTC(2199, 11, 31) - 1];

/** The classic year in chronological order, or shuffled by a seed. */
export function classicYear(shuffle?: number): Iterable<OrderEvent> {
  const orders = classicOrders({
    csv: readProjectFile("data/classic-2015.csv"),
    menu: readMenu(),
    stores: readStores<StoreProfile>(),
  });
  return shuffle === undefined ? orders : createRandom("shuffle", shuffle).shuffle([...orders]);
}

function simulated(values: Values, { orders, startAt }: { orders: number | undefined; startAt: number | undefined }) {
  const all = storesOn(readStores<StoreProfile>(), new Date(startAt ?? Date.now()).toISOString().slice(0, 10));
  const some = wholeNumber(values, "stores", { min: 1, max: all.length }) ?? all.length;
  return simulateOrders({
    seed: seedOf(values),
    menu: readMenu(),
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
  const outgoing = withFaults(sent, { ...rates, seed: seedOf(values), stores: readStores(), live });
  return { outgoing, tally: outgoing.tally };
}

/** When the till sent the event, in milliseconds since 1970; NaN if its bytes have no valid `emitted_at`. */
function emittedAt({ bytes }: Outgoing): number {
  return Date.parse(/"emitted_at":"([^"]+)"/.exec(Buffer.from(bytes).toString("latin1"))?.[1] ?? "");
}

type Events = Iterable<Outgoing> | AsyncIterable<Outgoing>;

interface SendOptions {
  isPaced: boolean;
  tally?: FaultTally;
  tooLong?: readonly LongLine[];
}

/** Sends a source's events until it ends or Ctrl-C is pressed, and prints a summary; resolves to the exit code. */
async function sendAll(
  source: (signal: AbortSignal) => Events,
  values: Values,
  { isPaced, tally, tooLong = [] }: SendOptions,
): Promise<number> {
  const sent = await withPipeline(values, async (pipeline, { isRunning }) => {
    const summary = await send(pipeline.sink, source, values, { isPaced });
    // A pipeline opened by this command is closed after it, so the orders must be in gold before that.
    if (values["wait"] === true || !isRunning) await pipeline.drain();
    return summary;
  });
  const faults = Object.fromEntries(Object.entries(tally ?? {}).filter(([, times]) => times > 0));
  for (const { line, bytes } of tooLong) {
    say(`line ${count(line)} was not sent: its ${count(bytes)} bytes exceed the maximum size of a stream record`);
  }
  const code = tooLong.length > 0 ? 1 : 0;
  if (values.json) {
    printJson({ ...sent, faults, ...(tooLong.length > 0 && { notSent: tooLong }) });
    return code;
  }
  say(
    `sent ${count(sent.events)} events in ${count(sent.records)} records, ${count(sent.bytes)} bytes, ${sent.seconds} s`,
  );
  for (const [fault, times] of Object.entries(faults)) say(`  ${fault}: ${count(times)}`);
  if (tooLong.length > 0) say(`  not sent: ${count(tooLong.length)}`);
  return code;
}

/** Unpaced sending has no linger timeout by default: batches depend only on the events and are reproducible. */
function readSenderOptions(values: Values, { isPaced }: { isPaced: boolean }) {
  const batchBytes = wholeNumber(values, "batch-bytes", { min: 1, max: 512 * 1024 });
  const lingerMs = numberOption(values, "linger", { min: 0, max: 60_000 }) ?? (isPaced ? undefined : Infinity);
  const batch = oneOf(values, "batch", ["zstd", "gzip", "off"]);
  return {
    ...(batchBytes !== undefined && { batchBytes }),
    ...(lingerMs !== undefined && { lingerMs }),
    ...(batch !== undefined && { batch }),
  };
}

/** Sends events until they end or Ctrl-C is pressed; resolves when the stream has acknowledged every event. */
export async function send(
  sink: EventSink,
  source: (signal: AbortSignal) => Events,
  values: Values,
  { isPaced }: { isPaced: boolean },
) {
  const started = Date.now();
  const sender = createSender({
    sink,
    ...readSenderOptions(values, { isPaced }),
    onProgress: ({ events: done }) => progress(`sent ${count(done)} events`),
  });
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  process.once("SIGINT", interrupt);
  for await (const event of source(interrupted.signal)) {
    await sender.send(event);
    if (interrupted.signal.aborted) break;
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
  const moment = parseMoment(String(text));
  if (moment === undefined) throw new UsageError(`--${name} ${text}: give a date such as 2026-01-31`);
  if (moment < firstFrom || moment > lastFrom)
    throw new UsageError(`--${name} ${text}: give a date from 2000-01-02 to 2199-12-30`);
  return moment;
}

/** A line too long for a stream record; `line` counts from 1. */
interface LongLine {
  line: number;
  bytes: number;
}

/**
 * The lines of a file as events, unchecked, and those that are too long for a stream record. Throws if the file cannot
 * be read.
 */
export function readEventLines(path: string): { events: Outgoing[]; tooLong: LongLine[] } {
  const bytes = readFile(path);
  const events: Outgoing[] = [];
  const tooLong: LongLine[] = [];
  for (let start = 0, line = 1; start < bytes.length; line++) {
    const newline = bytes.indexOf(10, start);
    const end = newline === -1 ? bytes.length : newline;
    const event = bytes.subarray(start, end);
    if (fitsRecord(event)) events.push({ producerId: `file ${path}`, bytes: event });
    else tooLong.push({ line, bytes: event.length });
    start = end + 1;
  }
  return { events, tooLong };
}

const reasons: Record<string, string> = {
  ENOENT: "does not exist",
  EISDIR: "is a folder",
  EACCES: "cannot be read: permission denied",
};

function readFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const reason = reasons[errorCode(cause)] ?? `cannot be read (${(cause as Error).message})`;
    throw new Error(`--file ${path} ${reason}: give a file with one event per line`, { cause });
  }
}
