import { beforeEach, describe, expect, it } from "vitest";
import { decodeBronze, encodeBronze } from "../../../pipeline/bronze/bronze-object.ts";
import type { Finding } from "../../../pipeline/domain/receipt.ts";
import { silverColumns } from "../../../pipeline/silver/columns.ts";
import type { AddFile } from "../../../pipeline/delta/table.ts";
import type { FileStats } from "../../../pipeline/parquet/file-stats.ts";
import { copyRows, readColumns } from "../../../pipeline/parquet/read-columns.ts";
import { createTableWriter } from "../../../pipeline/parquet/table-writer.ts";
import { quarantineColumns } from "../../../pipeline/silver/quarantine-table.ts";
import { orderStream } from "../../../pipeline/silver/tables.ts";
import { event, sellMessily } from "../quality/messy-day.ts";
import type { ReceiptPipeline } from "./receipt-fixture.ts";
import { openForEachTest } from "./receipt-hooks.ts";

type Columns = Awaited<ReturnType<typeof readColumns>>;

let pipeline: ReceiptPipeline;
let sold: Awaited<ReturnType<typeof sellMessily>>;
openForEachTest((opened) => ({ pipeline } = opened));
beforeEach(async () => {
  sold = await sellMessily(pipeline);
});

/** The findings as lines `invariant: sentence: example`. */
async function found(...change: Parameters<ReceiptPipeline["verify"]>): Promise<string> {
  const { findings } = await pipeline.verify(...change);
  return findings
    .flatMap(({ invariant, sentence, examples }: Finding) =>
      examples.map((example) => `${invariant}: ${sentence}: ${example}`),
    )
    .join("\n");
}

const position = (n: number) => `${sold.records[n]!.shard}/${sold.records[n]!.sequenceNumber}`;

describe("verify detects in bronze", () => {
  it("a deleted object", async () => {
    await pipeline.store.delete(sold.keys[0]!);
    const text = await found();
    expect(text).toContain(
      `sent = landed: 1 records were sent and confirmed, but are neither in bronze nor on-failure: ${position(0)}`,
    );
    expect(text).toContain("silver = bronze: 2 orders in silver have no event in bronze: 2015-01-01 nyc-01 a from");
  });

  it("an object with one byte of one payload changed", async () => {
    const key = sold.keys[1]!;
    const [first, ...rest] = await decodeBronze((await pipeline.store.get(key))!);
    const data = Uint8Array.from(first!.data);
    data[data.length - 1]! ^= 1;
    await pipeline.store.put(key, encodeBronze(orderStream, [{ ...first!, data }, ...rest]));
    const text = await found();
    expect(text).toContain(`bronze objects do not match the hash in their key: ${key}`);
    expect(text).toContain(`records in bronze differ from what the stream holds: ${position(1)}`);
  });

  it("a truncated object", async () => {
    const key = sold.keys[0]!;
    await pipeline.store.put(key, (await pipeline.store.get(key))!.subarray(0, 100));
    const text = await found();
    expect(text).toContain(
      `bronze is whole: 1 bronze objects hold a different number of records than their key says: ${key}`,
    );
    expect(text).toContain(`neither in bronze nor on-failure: ${position(0)}`);
  });

  it("two objects with different bytes for the same record", async () => {
    const record = sold.records[1]!;
    await pipeline.land([{ ...record, data: Buffer.concat([record.data, Buffer.from(" ")]) }]);
    expect(await found()).toBe(`bronze is raw: 1 records differ between two bronze objects: ${position(1)}`);
  });

  it("an object in the on-failure store that is not a failed batch", async () => {
    await pipeline.onFailure.put("aws/lambda/landing/cut", Buffer.from('{"payl'));
    expect(await found()).toBe(
      "sent = landed: 1 objects in the on-failure store cannot be read, and may hold records: aws/lambda/landing/cut",
    );
  });

  it("a changed partition key in the stream", async () => {
    const streamContents = pipeline.streamContents();
    const renamed = {
      ...streamContents,
      async *records() {
        for await (const record of streamContents.records()) yield { ...record, partitionKey: "another" };
      },
    };
    expect(await found({ streamContents: renamed })).toContain(
      `bronze is raw: 6 records in bronze differ from what the stream holds: ${position(0)}`,
    );
  });

  it("an object with records that were never sent", async () => {
    const sequenceNumber = `${BigInt(sold.records.at(-1)!.sequenceNumber) + 1n}`;
    await pipeline.land([{ ...sold.records[0]!, sequenceNumber }]);
    expect(await found()).toContain(
      `records in bronze were never in the stream: ${sold.records[0]!.shard}/${sequenceNumber}`,
    );
  });

  it("a record that the stream never had", async () => {
    const gone = sold.records[2]!.sequenceNumber;
    const streamContents = pipeline.streamContents();
    const forgetful = {
      ...streamContents,
      async *records() {
        for await (const record of streamContents.records()) if (record.sequenceNumber !== gone) yield record;
      },
    };
    const text = await found({ streamContents: forgetful });
    expect(text).toBe(`sent = landed: 1 records in bronze were never in the stream: ${position(2)}`);
  });

  it("a checkpoint that is ahead of what has landed", async () => {
    const [record] = await pipeline.send([event(13, "z")]);
    pipeline.confirm([record!]);
    expect(await found()).toBe(
      "sent = landed: 1 records were sent and confirmed, but are neither in bronze nor on-failure: " +
        `${record!.shard}/${record!.sequenceNumber}`,
    );
  });
});

describe("verify detects at the tills", () => {
  // One of them is number 4, which arrived as a corrupt event that day.
  const among = (count: number) => `(${count} may be among the unreadable events of that till)`;

  it("numbers that never arrived", async () => {
    await pipeline.land(await pipeline.send([event(13, "x"), event(20, "y"), event(22, "z")]));
    await pipeline.work();
    expect(await found()).toBe(
      `no gap in a till's numbers: 1 tills sent events that never arrived: till-1: 4, 14-19, 21 ${among(1)}`,
    );
  });

  it("numbers that never arrived, however many corrupt events other tills send", async () => {
    await pipeline.land(await pipeline.send([event(13, "x"), event(15, "y")]));
    const garbage = Array.from({ length: 8 }, (_, n) => Buffer.from(`garbage ${n}`));
    const otherTill = Buffer.from('{"producer":{"producer_id":"till-2","seq":14');
    await pipeline.land(
      await pipeline.send(...garbage, otherTill, [event(16, "z"), Buffer.from("at the end of a batch")]),
    );
    await pipeline.work();
    expect(await found()).toBe(
      `no gap in a till's numbers: 1 tills sent events that never arrived: till-1: 4, 14 ${among(1)}`,
    );
  });

  it("more missing numbers than there are damaged events of the till", async () => {
    await pipeline.land(await pipeline.send([event(13, "x"), Buffer.from("damaged"), event(16, "y")]));
    await pipeline.work();
    expect(await found()).toBe(
      `no gap in a till's numbers: 1 tills sent events that never arrived: till-1: 4, 14-15 ${among(2)}`,
    );
  });

  it("nothing wrong in an order id that is reused on another day or in another store", async () => {
    const reused = [
      event(13, "a", { ordered_at: "2015-01-09T10:00:00Z" }),
      event(14, "a", { store_id: "chi-01", ordered_at: "2015-01-09T10:00:00Z" }),
    ];
    await pipeline.land(await pipeline.send(reused));
    await pipeline.work();
    expect(await found()).toBe("");
  });
});

describe("verify detects in silver", () => {
  const holder = async (orderId: string): Promise<AddFile> => {
    for (const file of (await pipeline.silver.snapshot()).files.values()) {
      const { order_id } = await readColumns((await pipeline.store.get(pathOf(file)))!, ["order_id"]);
      if (order_id!.includes(orderId)) return file;
    }
    throw new Error(`order ${orderId} is in no file`);
  };
  const pathOf = ({ path }: AddFile) => `${pipeline.silver.root}/${path}`;
  const commit = async (removes: AddFile[], adds: AddFile[]) => {
    const { version } = await pipeline.silver.snapshot();
    const request = { operation: "DAMAGE", transactions: [], operationMetrics: {}, dataChange: false };
    await pipeline.silver.commit({ ...request, readVersion: version, adds, removes });
  };
  /** Rewrites a silver file with one cell changed, with `dataChange: false`. Returns a function that undoes it. */
  const change = async (orderId: string, column: string, value: unknown) => {
    const file = await holder(orderId);
    const columns = await readColumns(
      (await pipeline.store.get(pathOf(file)))!,
      silverColumns.map(({ name }) => name),
    );
    columns[column]![columns["order_id"]!.indexOf(orderId)] = value;
    const writer = createTableWriter(silverColumns);
    copyRows(writer, columns, () => true);
    const changed = await pipeline.silver.writeDataFile({ partition: file.partition, ...writer.finish() });
    await commit([file], [changed]);
    return () => commit([changed], [file]);
  };

  const copyOf = async (file: AddFile) => {
    const path = file.path.replace(/[^/]+$/, "copy.parquet");
    await pipeline.store.put(`${pipeline.silver.root}/${path}`, (await pipeline.store.get(pathOf(file)))!);
    return path;
  };

  it("a data file that was removed from the log", async () => {
    await commit([await holder("d")], []);
    const text = await found();
    expect(text).toContain(
      "every event has one place: 1 valid events are missing from silver: 2015-01-02 chi-01 d revision 0 at",
    );
    expect(text).toContain("gold = silver: 1 days differ between silver and gold: 2015-01-02");
  });

  it.each([
    ["deleted from disk", (file: AddFile) => pipeline.store.delete(pathOf(file))],
    ["truncated", async (file: AddFile) => void (await pipeline.store.put(pathOf(file), Buffer.alloc(10)))],
  ])("a data file that was %s", async (_, damage) => {
    const file = await holder("d");
    await damage(file);
    const text = await found();
    expect(text).toContain(
      `the lake is whole: 1 data files are missing or differ in size from the log: ${pathOf(file)}`,
    );
    expect(text).toContain("valid events are missing from silver: 2015-01-02 chi-01 d revision 0");
  });

  it("a data file whose rows were added twice", async () => {
    const file = await holder("c");
    const body = (await pipeline.store.get(pathOf(file)))!;
    await commit(
      [],
      [await pipeline.silver.writeDataFile({ partition: file.partition, body, stats: file.stats!, rows: file.rows })],
    );
    const text = await found();
    expect(text).toContain("an order line exists twice: 2015-01-01 nyc-01 c line 1");
    expect(text).toContain("gold = silver: 1 days differ between silver and gold: 2015-01-01");
  });

  it("a changed cell in any column", async () => {
    const cells: [column: string, value: unknown, difference: string][] = [
      ["quantity", 2, "quantity is 2 for 1"],
      ["revenue_cents", 1326, "revenue_cents is 1326 for 1325"],
      ["unit_cost_cents", 1, "unit_cost_cents is 1 for 400"],
      ["status", "refunded", "status is refunded for placed"],
      ["customer_key", "0123456789abcdef", "customer_key is 0123456789abcdef for "],
      ["customer_key", null, "customer_key is null for "],
      ["order_hour", 12, "order_hour is 12 for 11"],
      ["ordered_at", 1_420_130_316_000_001, "ordered_at is 1420130316000001 for 1420130316000000"],
      ["is_first_of_type", false, "is_first_of_type is false for true"],
      ["channel", "delivery", "channel is delivery for dine_in"],
      ["category", "Veggie", "category is Veggie for Classic"],
      ["producer_seq", 99, "producer_seq is 99 for 1"],
    ];
    for (const [column, value, difference] of cells) {
      const undo = await change("a", column, value);
      const text = await found();
      const place = `2015-01-01 nyc-01 a at ${position(0)}/0`;
      expect(text).toContain(`silver = bronze: 1 orders in silver differ from their event: ${place}`);
      expect(text).toContain(`line 1: ${difference}`);
      await undo();
    }
    expect(await found()).toBe("");
  });

  it("one flipped bit anywhere in a data file: the file is unreadable, or a cell differs", async () => {
    const file = await holder("a");
    const body = (await pipeline.store.get(pathOf(file)))!;
    const unreadable = `data files cannot be read: ${pathOf(file)}`;
    // Bits in the pages of the first columns, which have values, and one in the footer length.
    for (const at of [30, 200, 600, body.length - 8]) {
      const damaged = Uint8Array.from(body);
      damaged[at]! ^= 4;
      await pipeline.store.put(pathOf(file), damaged);
      const text = await found();
      const isNamed = text.includes(unreadable) || text.includes("silver = bronze");
      expect([at, isNamed, text]).toEqual([at, true, text]);
    }
    await pipeline.store.put(pathOf(file), body);
    expect(await found()).toBe("");
  });

  it.each<[what: string, differently: (file: AddFile) => Partial<AddFile>, wrong: string]>([
    ["a lower bound", (file) => statsOf(file, { minValues: { order_id: "zzz" } }), "min of order_id is zzz for a"],
    ["an upper bound", (file) => statsOf(file, { maxValues: { order_id: "0000" } }), "max of order_id is 0000 for e"],
    [
      "the bound of a timestamp",
      (file) => statsOf(file, { maxValues: { ordered_at: "2015-01-01T00:00:00.000Z" } }),
      "max of ordered_at is 2015-01-01T00:00:00.000Z for 2015-01-01T16:38:36.000Z",
    ],
    ["a null count", (file) => statsOf(file, { nullCount: { order_id: 3 } }), "nullCount of order_id is 3 for 0"],
    ["the number of rows", ({ rows, ...file }) => statsOf({ ...file, rows }, { numRecords: rows + 1 }), "rows is"],
  ])("%s of a data file, changed in the log", async (_, differently, wrong) => {
    const file = await holder("a");
    const path = await copyOf(file);
    await commit([file], [{ ...file, ...differently(file), path }]);
    const text = await found();
    expect(text).toContain(
      `the lake is whole: 1 data files do not match their statistics in the log: ${pipeline.silver.root}/${path}: ${wrong}`,
    );
  });

  const statsOf = ({ stats }: AddFile, other: { [Key in keyof FileStats]?: Partial<FileStats[Key]> }) => ({
    stats: {
      numRecords: other.numRecords ?? stats!.numRecords,
      minValues: { ...stats!.minValues, ...other.minValues },
      maxValues: { ...stats!.maxValues, ...other.maxValues },
      nullCount: { ...stats!.nullCount, ...other.nullCount },
    } as FileStats,
  });

  it("the partition of a data file, changed in the log", async () => {
    const file = await holder("a");
    const path = await copyOf(file);
    await commit([file], [{ ...file, path, partition: "2015-01-09" }]);
    expect(await found()).toContain(
      `the lake is whole: 1 data files are in a different partition than the log says: ${pipeline.silver.root}/${path}: 2015-01-09`,
    );
  });

  it("a copy of a data file, added to the log", async () => {
    const file = await holder("d");
    await commit([], [{ ...file, path: await copyOf(file) }]);
    expect(await found()).toContain("orders appear in silver from two events or in two files: 2015-01-02 chi-01 d");
  });

  it("two commits that were swapped", async () => {
    const keys = [0, 1].map(
      (version) => `${pipeline.silver.root}/_delta_log/${String(version).padStart(20, "0")}.json`,
    );
    const [first, second] = await Promise.all(keys.map((key) => pipeline.store.get(key)));
    await pipeline.store.put(keys[0]!, second!);
    await pipeline.store.put(keys[1]!, first!);
    expect(await found()).toContain(
      `the lake is whole: 1 commits are stored under a different version than they were written for: ${keys[0]} was written as version 1`,
    );
  });

  it("a missing or unreadable commit: there is no receipt, and the error names the commit", async () => {
    const key = `${pipeline.silver.root}/_delta_log/${"0".repeat(20)}.json`;
    await pipeline.store.put(key, Buffer.from("{"));
    await expect(found()).rejects.toThrow(`${key} cannot be read; restore the file from a backup`);
    await pipeline.store.delete(key);
    await expect(found()).rejects.toThrow("version 0 is missing from silver/order_lines/_delta_log/");
  });

  it("a revision that was decreased", async () => {
    await change("b", "revision", 0);
    expect(await found()).toContain("newer revisions are missing from silver: 2015-01-01 nyc-01 b revision 1");
  });

  it("an order based on a later event than the one it superseded", async () => {
    await change("c", "emitted_at", Date.parse("2015-02-01T00:00:00Z") * 1000);
    expect(await found()).toContain(
      "orders in silver show another event than the first one: 2015-01-01 nyc-01 c revision 0",
    );
  });
});

describe("verify detects in quarantine", () => {
  const files = async () => [...(await pipeline.quarantine.snapshot()).files.values()];
  const remove = async (removes: AddFile[]) => {
    const { version } = await pipeline.quarantine.snapshot();
    const request = { operation: "DAMAGE", adds: [], transactions: [], operationMetrics: {} };
    await pipeline.quarantine.commit({ ...request, readVersion: version, removes });
  };

  it("missing rows", async () => {
    await remove(await files());
    const text = await found();
    for (const reason of ["not_json", "unknown_store", "bad_utf8"]) {
      expect(text).toContain(`every event has one place: 1 rejected events (${reason}) are not in quarantine:`);
    }
    expect(text).toContain(
      "events differ from what silver accepted and are not in quarantine: 2015-01-01 nyc-01 c revision 0",
    );
  });

  /** Rewrites the quarantine's rows with cells changed, or without some of them. */
  const rewrite = async ({
    without = "",
    change = () => {},
  }: {
    without?: string;
    change?: (rows: Columns) => void;
  }) => {
    const removes = await files();
    const writer = createTableWriter(quarantineColumns);
    const names = quarantineColumns.map(({ name }) => name);
    for (const { path } of removes) {
      const columns = await readColumns((await pipeline.store.get(`${pipeline.quarantine.root}/${path}`))!, names);
      change(columns);
      copyRows(writer, columns, (row) => columns["reason"]![row] !== without);
    }
    const { version } = await pipeline.quarantine.snapshot();
    const adds = [await pipeline.quarantine.writeDataFile({ partition: undefined, ...writer.finish() })];
    const request = { operation: "DAMAGE", transactions: [], operationMetrics: {} };
    await pipeline.quarantine.commit({ ...request, readVersion: version, adds, removes });
  };

  it("one missing row of several", async () => {
    await rewrite({ without: "not_json" });
    expect(await found()).toBe(
      `every event has one place: 1 rejected events (not_json) are not in quarantine: ${position(0)}/3`,
    );
  });

  it("changed bytes of an event, as text or as base64", async () => {
    const change = (column: string, from: string, to: string) => (columns: Columns) => {
      columns[column] = columns[column]!.map((cell) => (cell === from ? to : cell));
    };
    await rewrite({ change: change("payload", "garbage", "gorbage") });
    const sentence = "events in quarantine have different bytes than in bronze";
    expect(await found()).toBe(`quarantine = bronze: 1 ${sentence}: ${position(0)}/3`);
    await rewrite({ change: change("payload_base64", "//4=", "//8=") });
    expect(await found()).toContain(`quarantine = bronze: 2 ${sentence}: ${position(5)}/0`);
  });

  /** Changes cells in the row with this reason. */
  const alter =
    (reason: string, cells: Record<string, unknown>) =>
    (columns: Columns): void => {
      const row = columns["reason"]!.indexOf(reason);
      for (const [column, cell] of Object.entries(cells)) if (row >= 0) columns[column]![row] = cell;
    };

  it("a reason that the event does not have", async () => {
    await rewrite({ change: alter("not_json", { reason: "bad_utf8" }) });
    expect(await found()).toBe(
      `every event has one place: 1 events are in quarantine as bad_utf8 but should be not_json: ${position(0)}/3`,
    );
  });

  it("a row of an event that never arrived", async () => {
    await rewrite({ change: alter("not_json", { record_index: 99 }) });
    expect(await found()).toContain(
      `quarantine = bronze: 1 quarantined events have no rejected event in bronze: ${position(0)}/99 not_json`,
    );
  });

  it("a row of an event that silver accepted", async () => {
    await rewrite({ change: alter("not_json", { record_index: 2, reason: "conflicting_payload" }) });
    expect(await found()).toContain(
      `every event has one place: 1 accepted events are in quarantine as conflicting_payload: 2015-01-01 nyc-01 c revision 0 at ${position(0)}/2`,
    );
  });

  it.each<[column: string, differently: (value: unknown) => unknown]>([
    ["order_id", (value) => (value === "f" ? "ff" : value)],
    ["arrived_at", (value) => (value as number) + 1000],
  ])("a changed %s of an event, which determines its resolution", async (column, differently) => {
    await rewrite({ change: (columns) => void (columns[column] = columns[column]!.map(differently)) });
    expect(await found()).toMatch(
      /^quarantine = bronze: \d events in quarantine have a different order, revision, till or arrival time than in bronze: shardId/,
    );
  });

  it("a file that was added twice", async () => {
    const [file] = await files();
    const body = (await pipeline.store.get(`${pipeline.quarantine.root}/${file!.path}`))!;
    await pipeline.store.put(`${pipeline.quarantine.root}/copy.parquet`, body);
    const { version } = await pipeline.quarantine.snapshot();
    const request = { operation: "DAMAGE", removes: [], transactions: [], operationMetrics: {} };
    await pipeline.quarantine.commit({ ...request, readVersion: version, adds: [{ ...file!, path: "copy.parquet" }] });
    const text = await found();
    expect(text).toMatch(/^quarantine is distinct: \d+ events are in quarantine more than once: /);
    expect(text).toContain(position(0));
  });

  it("one flipped bit of a data file", async () => {
    const [file] = await files();
    const key = `${pipeline.quarantine.root}/${file!.path}`;
    const body = (await pipeline.store.get(key))!;
    const damaged = Uint8Array.from(body);
    damaged[body.length - 8]! ^= 4;
    await pipeline.store.put(key, damaged);
    expect(await found()).toContain(`the lake is whole: 1 data files cannot be read: ${key}`);
  });

  it("statistics in the log that differ from the file", async () => {
    const [file] = await files();
    await remove([file!]);
    const { version } = await pipeline.quarantine.snapshot();
    const stats = { ...file!.stats!, minValues: { ...file!.stats!.minValues, shard: "zzz" } };
    const request = { operation: "DAMAGE", removes: [], transactions: [], operationMetrics: {} };
    await pipeline.quarantine.commit({ ...request, readVersion: version, adds: [{ ...file!, stats }] });
    expect(await found()).toContain(`${file!.path}: min of shard is zzz for shardId-000000000000`);
  });

  it("a missing data file", async () => {
    const [file] = await files();
    await pipeline.store.delete(`${pipeline.quarantine.root}/${file!.path}`);
    expect(await found()).toContain("the lake is whole: 1 data files are missing");
  });
});
