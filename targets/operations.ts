import { z } from "zod";
import {
  loadCatalog,
  loadChecks,
  loadGoldSql,
  loadQualitySql,
  loadQuarantinedSql,
  loadTraceSql,
  readMenu,
  readStores,
} from "../adapters/project-files.ts";
import { listBackups } from "../pipeline/backup/manifest.ts";
import type { DeltaTable } from "../pipeline/delta/table.ts";
import type { Receipt } from "../pipeline/domain/receipt.ts";
import { explainRow } from "../pipeline/explain/explain-row.ts";
import type { ForgetSummary } from "../pipeline/forget/forget-customer.ts";
import { listCorrections } from "../pipeline/gold/list-corrections.ts";
import type { Clock, EventSink, LakeQuery, ObjectStore, OutgoingRecord, Warehouse } from "../pipeline/ports.ts";
import { chooseRules, previewQuality } from "../pipeline/quality/check-quality.ts";
import { profileSilver } from "../pipeline/quality/profile-silver.ts";
import { correctById } from "../pipeline/quarantine/correct-by-id.ts";
import { heldOrders, listQuarantined } from "../pipeline/quarantine/list-quarantined.ts";
import type { RebuildRequest } from "../pipeline/rebuild/rebuild.ts";
import type { RebuildReport } from "../pipeline/rebuild/report.ts";
import type { StreamContents } from "../pipeline/reconciliation/reconcile-records.ts";
import { verifyReceipt } from "../pipeline/reconciliation/verify-receipt.ts";
import { bringBackObjects, listSetAside } from "../pipeline/silver/set-aside.ts";
import {
  openQuarantine,
  openSilver,
  orderStream,
  quarantineLakeTable,
  versionTable,
} from "../pipeline/silver/tables.ts";
import { readEvent } from "../pipeline/trace/read-event.ts";
import { traceOrder } from "../pipeline/trace/trace-order.ts";
import { drillNames, type DrillName, type DrillReport } from "./local/drill-kinds.ts";
import type { ProgressBoard } from "./progress.ts";
import type { Credentials, OngoingOperation, PipelineStatus, StatusRequest } from "./pipeline-api.ts";

/** What a target opens. The operations below are made from it, once for every target. */
export interface Target {
  store: ObjectStore;
  clock: Clock;
  silver: DeltaTable;
  quarantine: DeltaTable;
  backups: () => ObjectStore;
  lake: () => Promise<LakeQuery>;
  /** Gold, as the role that may only read. */
  reader: () => Promise<Warehouse>;
  /** Gold for SQL that a person wrote: as the reader, on a separate connection. */
  adHoc: () => Promise<Warehouse>;
  customerKey: () => Promise<(customerId: string) => string>;
  /** What the stream holds at this moment. */
  streamContents: () => StreamContents;
  /** How far its long operations are. */
  progress: ProgressBoard;
  /** Runs a job while no workflow runs in this process. */
  exclusively: <Result>(job: () => Promise<Result>) => Promise<Result>;
  /** What each target does in its own way. */
  own: {
    sink: EventSink;
    status: (how: StatusRequest) => Promise<PipelineStatus>;
    run: (workflow: string) => Promise<{ workflow: string; milliseconds: number; output: Record<string, unknown> }>;
    drain: () => Promise<void>;
    forget: (customerId: string) => Promise<ForgetSummary>;
    rebuild: (request: RebuildRequest) => Promise<RebuildReport>;
    credentials: () => Promise<Credentials>;
    drill: (name: DrillName) => Promise<DrillReport>;
    close: () => Promise<void>;
  };
}

/** `reads` changes nothing; `changes` does, so a page should ask first; `secret` returns a password or personal data. */
export type Access = "reads" | "changes" | "secret";

/** One thing that a pipeline can be asked, on whatever target it runs. */
export interface Operation<Parameters, Result> {
  access: Access;
  /** Of one JSON object; bytes are base64. */
  parameters: z.ZodType<Parameters>;
  run(target: Target, given: Parameters, signal?: AbortSignal): Promise<Result>;
}

const operation = <Parameters, Result>(
  access: Access,
  parameters: z.ZodType<Parameters>,
  run: (target: Target, given: Parameters, signal?: AbortSignal) => Promise<Result>,
): Operation<Parameters, Result> => ({ access, parameters, run });

const none = z.strictObject({});
const version = z.int().min(0).optional();
const day = z.iso.date();
const correction = z.strictObject({ ids: z.array(z.string()).min(1), edits: z.array(z.string()) });
const bronzeEvent = z.strictObject({
  bronzeKey: z.string(),
  shard: z.string(),
  sequenceNumber: z.string(),
  recordIndex: z.int().min(0),
});
const orderName = z.strictObject({ storeId: z.string(), orderDate: day, orderId: z.string() });
/** Data is base64 on the wire. */
const record = z
  .strictObject({ partitionKey: z.string(), explicitHashKey: z.string().optional(), data: z.string() })
  .transform(({ partitionKey, explicitHashKey, data }): OutgoingRecord => ({
    partitionKey,
    ...(explicitHashKey !== undefined && { explicitHashKey }),
    data: Buffer.from(data, "base64"),
  }));

/**
 * All that a pipeline can be asked, by name. The types of `Pipeline`, the local HTTP server and its client are derived
 * from this list. A new read operation is a use case, one entry here and one command in `bin/commands/`.
 */
export const operations = {
  putRecords: operation("changes", z.strictObject({ records: z.array(record) }), ({ own }, { records }) =>
    own.sink.putRecords(records),
  ),
  openShards: operation("reads", none, ({ own }) => own.sink.openShards()),
  /** Counters and newest runs of every layer, within some seconds: parts that do not answer are named. */
  status: operation(
    "reads",
    z.strictObject({ isFrequent: z.boolean().optional(), seconds: z.number().min(1).max(600).optional() }),
    ({ own }, how) => own.status(how),
  ),
  /** How far the long operations are that run now. */
  progress: operation("reads", none, async ({ progress }) => progress.list()),
  /** Runs a workflow now, to its end. */
  run: operation("changes", z.strictObject({ workflow: z.string() }), ({ own }, { workflow }) => own.run(workflow)),
  /** Resolves when everything sent before the call is in gold, customers included. */
  drain: operation("changes", none, ({ own }) => own.drain()),
  /** The receipt: accounts for every record from the stream to gold. */
  verify: operation("reads", none, (target) => target.exclusively(() => reconcile(target))),
  /** Every quarantined event, the oldest first. */
  quarantined: operation("reads", none, (target) => quarantinedOf(target)),
  /** What silver would do with quarantined events after an edit; sends nothing. */
  previewResend: operation("reads", correction, (target, given) => correctById(correctionSources(target), given)),
  /** Edits quarantined events, and sends those that silver would accept. */
  resend: operation("changes", correction, (target, given) =>
    correctById(correctionSources(target), given, target.own.sink),
  ),
  /** The bronze objects that are set aside: no run reads them. */
  setAside: operation("reads", none, async ({ store, silver }) => listSetAside(store, await silver.snapshot())),
  /** Lets the next run read objects that are set aside, all by default; returns their keys. */
  bringBack: operation("changes", z.strictObject({ keys: z.array(z.string()).optional() }), ({ silver }, { keys }) =>
    bringBackObjects(silver, keys),
  ),
  /** What silver holds of these orders. */
  heldOrders: operation("reads", z.strictObject({ orders: z.array(orderName) }), async ({ silver, lake }, { orders }) =>
    heldOrders({ silver, lake: await lake() }, orders),
  ),
  /** Every position of the orders with an id, from the stream to gold; none if nothing is known of it. */
  trace: operation(
    "reads",
    z.strictObject({ orderId: z.string() }),
    async ({ store, silver, quarantine, lake, reader }, { orderId }) => {
      const engines = { lake: await lake(), warehouse: await reader() };
      const files = { catalog: loadCatalog(), sql: loadTraceSql() };
      return traceOrder({ store, stream: orderStream, silver, quarantine, ...engines, ...files }, orderId);
    },
  ),
  /** The bytes of one event in a bronze object, with personal values masked. */
  event: operation("reads", bronzeEvent, ({ store }, given) =>
    readEvent({ store, catalog: loadCatalog() }, { ...given, isPersonal: false }),
  ),
  /** The same bytes, with the customer's data. */
  personalEvent: operation("secret", bronzeEvent, ({ store }, given) =>
    readEvent({ store, catalog: loadCatalog() }, { ...given, isPersonal: true }),
  ),
  /** A row of gold, or one column of it, down to its order lines. */
  explain: operation(
    "reads",
    z.strictObject({
      table: z.string(),
      key: z.array(z.string()),
      column: z.string().optional(),
      lines: z.int().min(0),
    }),
    async ({ silver, lake, reader }, request) =>
      explainRow({ silver, lake: await lake(), warehouse: await reader() }, request),
  ),
  /** What changed in gold since a moment (ISO 8601) although it had been reported. */
  corrections: operation(
    "reads",
    z.strictObject({ since: z.string() }),
    async ({ store, silver, lake, reader }, asked) =>
      listCorrections({ store, silver, lake: await lake(), warehouse: await reader() }, asked),
  ),
  /**
   * Evaluates the quality rules, or the one of this name, on the data as they are now. Stores nothing, alerts nobody.
   */
  quality: operation("reads", z.strictObject({ rule: z.string().optional() }), async (target, { rule }) => {
    const { silver, clock } = target;
    const rules = chooseRules(rule);
    const engines = { lake: await target.lake(), warehouse: await target.reader() };
    const files = { catalog: loadCatalog(), qualitySql: loadQualitySql() };
    const sources = { ...engines, silver, clock, ...files, onProgress: target.progress.follow("quality") };
    return target.exclusively(() => previewQuality(sources, { rules, verify: () => reconcile(target) }));
  }),
  /** What silver's columns hold in the newest week and in the week before. */
  profile: operation("reads", none, async ({ silver, lake }) => profileSilver({ silver, lake: await lake() })),
  /** Removes a customer's personal data from every layer, and publishes the days that change. */
  forget: operation("changes", z.strictObject({ customerId: z.string() }), ({ own }, { customerId }) =>
    own.forget(customerId),
  ),
  /** Sends simulated orders, breaks something, and says how the receipt took it. Only a local pipeline does it. */
  drill: operation("changes", z.strictObject({ drill: z.enum(drillNames) }), ({ own }, { drill }) => own.drill(drill)),
  /** SQL on gold as the reader, or on the lake's tables at a version of silver. */
  query: operation(
    "reads",
    z.strictObject({ sql: z.string(), lake: z.boolean().optional(), version }),
    async (target, { sql, lake: onLake = false, version: atVersion }, asked): Promise<Record<string, unknown>[]> => {
      if (!onLake) return (await target.adHoc()).query(sql);
      const { store, silver, quarantine } = target;
      const tables = [await versionTable(store, silver, atVersion), quarantineLakeTable(await quarantine.snapshot())];
      const signal = AbortSignal.any([timeLimit(), ...(asked === undefined ? [] : [asked])]);
      return (await target.lake()).query(sql, [], tables, { signal });
    },
  ),
  /** How to connect to gold as the reader. */
  credentials: operation("secret", none, ({ own }) => own.credentials()),
  /** Stores and pizzas, each in its newest version. */
  catalog: operation("reads", none, async () => {
    const newest = <Item>(items: readonly Item[], idOf: (item: Item) => string) => [
      ...new Map(items.map((item) => [idOf(item), item])).values(),
    ];
    return {
      stores: newest(readStores(), ({ store_id }) => store_id),
      pizzas: newest(readMenu(), (pizza) => pizza.pizza_id),
    };
  }),
  /** Recomputes days from bronze or silver, compares them with what is published, and publishes what differs. */
  rebuild: operation(
    "changes",
    z.strictObject({ from: day, to: day, source: z.enum(["bronze", "silver"]), isDryRun: z.boolean() }),
    ({ own }, request) => own.rebuild(request),
  ),
  /** Every backup, the newest first. */
  backups: operation("reads", none, ({ backups }) => listBackups(backups())),
};

export type OperationName = keyof typeof operations;
export type ParametersOf<Name extends OperationName> = Parameters<(typeof operations)[Name]["run"]>[1];
export type ResultOf<Name extends OperationName> = ReturnType<(typeof operations)[Name]["run"]>;
/** Nothing to give where every parameter is optional. The signal ends what takes long. */
type Ask<Name extends OperationName> =
  Record<string, never> extends ParametersOf<Name>
    ? (given?: ParametersOf<Name>, signal?: AbortSignal) => ResultOf<Name>
    : (given: ParametersOf<Name>, signal?: AbortSignal) => ResultOf<Name>;

/** A pipeline, whether it runs in this process, in another one, or deployed. */
export type Pipeline = { [Name in OperationName]: Ask<Name> } & {
  /** For producers: `putRecords` and `openShards`. */
  sink: EventSink;
  close(): Promise<void>;
};

/** Makes the pipeline of a target. */
export function createPipeline(target: Target): Pipeline {
  const ongoing = new Set<OngoingOperation>();
  const asks = Object.entries(operations as Record<string, Operation<unknown, unknown>>).map(([name, asked]) => [
    name,
    async (given = {}, signal?: AbortSignal) => {
      const call = { operation: name, since: new Date().toISOString() };
      ongoing.add(call);
      try {
        return await asked.run(target, given, signal);
      } finally {
        ongoing.delete(call);
      }
    },
  ]);
  const { sink, close, status } = target.own;
  target.own.status = async (how) => ({ ...(await status(how)), ongoing: [...ongoing].filter(takesLong) });
  return { ...(Object.fromEntries(asks) as { [Name in OperationName]: Ask<Name> }), sink, close };
}

/** A status names what takes longer. */
const longMs = 5000;

function takesLong({ since }: OngoingOperation): boolean {
  return Date.now() - Date.parse(since) > longMs;
}

async function quarantinedOf({ silver, quarantine, lake }: Target) {
  return await listQuarantined({ silver, quarantine, lake: await lake(), sql: loadQuarantinedSql() });
}

function correctionSources(target: Target) {
  return {
    quarantined: () => quarantinedOf(target),
    heldOrders: async (orders: Parameters<typeof heldOrders>[1]) =>
      heldOrders({ silver: target.silver, lake: await target.lake() }, orders),
    catalog: loadCatalog(),
    now: target.clock(),
  };
}

/** As long as the reader's queries on gold may take, `statement_timeout` in `sql/migrations/`. */
const lakeLimitMinutes = 5;

function timeLimit(): AbortSignal {
  const limit = new AbortController();
  const message = `the lake query took longer than ${lakeLimitMinutes} minutes: ask for fewer days, or aggregate earlier`;
  setTimeout(() => limit.abort(new Error(message)), lakeLimitMinutes * 60_000).unref();
  return limit.signal;
}

/** The receipt of a target; `exclusively` is up to the caller. */
export async function reconcile(target: Target): Promise<Receipt> {
  const { store, clock, lake, reader, customerKey, streamContents } = target;
  return await verifyReceipt({
    store,
    stream: orderStream,
    streamContents: streamContents(),
    // Read from the store, not from a cache that this process wrote to.
    silver: openSilver({ store, clock }),
    quarantine: openQuarantine({ store, clock }),
    lake: await lake(),
    warehouse: await reader(),
    catalog: loadCatalog(),
    customerKey: await customerKey(),
    goldSql: loadGoldSql(),
    checks: loadChecks(),
    onProgress: target.progress.follow("verify"),
  });
}
