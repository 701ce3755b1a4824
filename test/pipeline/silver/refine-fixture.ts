import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { openDuckDbLake } from "../../../adapters/duckdb.ts";
import { openFolderStore } from "../../../adapters/folder-store.ts";
import { landRecords } from "../../../pipeline/bronze/land-records.ts";
import type { LakeRow, ObjectStore, StreamRecord } from "../../../pipeline/ports.ts";
import { createCustomerKey } from "../../../pipeline/silver/write-orders.ts";
import { publishQuarantine } from "../../../pipeline/silver/quarantine-table.ts";
import { refineSilver, type RefineOptions, type RefineContext } from "../../../pipeline/silver/refine-silver.ts";
import {
  openQuarantine,
  openSilver,
  orderStream,
  quarantineLakeTable,
  silverLakeTable,
} from "../../../pipeline/silver/tables.ts";
import { catalog } from "../../support/order-fixture.ts";

export const shard = "shardId-000000000000";
export const customerKey = createCustomerKey("secret of the tests");

/** The default time at which the tests' records arrive and land, in milliseconds since 1970. */
export const noon = Date.parse("2015-01-02T12:00:00Z");

/** Creates a stream record from one event, from raw bytes, or from an array of events as a compressed batch. */
export function record(sequenceNumber: number, content: unknown, changes: Partial<StreamRecord> = {}): StreamRecord {
  const text = (event: unknown) => (typeof event === "string" ? event : JSON.stringify(event));
  const data = Buffer.isBuffer(content)
    ? content
    : Array.isArray(content)
      ? zstdCompressSync(Buffer.from(content.map(text).join("\n")))
      : Buffer.from(text(content));
  const number = String(49_500_000_000_000_000_000n + BigInt(sequenceNumber));
  return { shard, sequenceNumber: number, partitionKey: "key", arrivedAt: noon, data, ...changes };
}

/** Opens a temporary lake with bronze, silver and quarantine, and DuckDB to read them. */
export async function openSilverPipeline() {
  const root = mkdtempSync(join(tmpdir(), "pizza-silver-"));
  const store = openFolderStore(root);
  const lake = await openDuckDbLake({ root, threads: 1 });
  const pipeline = { now: noon };
  const clock = () => pipeline.now;

  /** Opens the same folder as another process: separate tables, over a separate store if given. */
  function openRefinery(over: ObjectStore = store): RefineContext {
    const tables = { silver: openSilver({ store: over, clock }), quarantine: openQuarantine({ store: over, clock }) };
    return { store: over, stream: orderStream, ...tables, catalog, customerKey, clock };
  }

  const refinery = openRefinery();
  const select = async (columns: string, table: "silver" | "quarantine", order: string): Promise<LakeRow[]> => {
    const snapshot = await openRefinery()[table].snapshot();
    const source = table === "silver" ? silverLakeTable(snapshot) : quarantineLakeTable(snapshot);
    return await lake.query(`select ${columns} from ${source.name} order by ${order}`, [], [source]);
  };

  return Object.assign(pipeline, {
    root,
    store,
    lake,
    refinery,
    openRefinery,
    /** Lands records as one bronze object and returns its key. */
    land: async (...records: StreamRecord[]) => (await landRecords({ store, stream: orderStream, clock }, records)).key,
    refine: (options?: RefineOptions) => refineSilver(refinery, options),
    publish: () => publishQuarantine(refinery),
    rows: (columns = "*") => select(columns, "silver", "order_id, line_no"),
    quarantined: (columns = "*") => select(columns, "quarantine", "shard, sequence_number, record_index"),
    /** Keys of the data files in silver's newest version. */
    files: async () => [...(await openRefinery().silver.snapshot()).files.keys()].toSorted(),
    close() {
      void lake.close();
      rmSync(root, { recursive: true, force: true });
    },
  });
}

export type SilverPipeline = Awaited<ReturnType<typeof openSilverPipeline>>;

/** A store that throws instead of the first write whose key `matches`; with `after`, it throws after the write. */
export function failingOnce(store: ObjectStore, matches: RegExp, when: "before" | "after" = "before"): ObjectStore {
  let isDue = true;
  return {
    ...store,
    async put(key, body, options) {
      if (!isDue || !matches.test(key)) return await store.put(key, body, options);
      isDue = false;
      if (when === "after") await store.put(key, body, options);
      throw new Error(`the process died ${when} writing ${key}`);
    },
  };
}
