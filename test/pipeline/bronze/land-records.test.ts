import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openFolderStore } from "../../../adapters/folder-store.ts";
import { decodeBronze } from "../../../pipeline/bronze/bronze-object.ts";
import { landRecords } from "../../../pipeline/bronze/land-records.ts";
import { listBronze } from "../../../pipeline/bronze/list-bronze.ts";
import type { ObjectStore, StreamRecord } from "../../../pipeline/ports.ts";

function recordsAt(time: string, ...numbers: number[]): StreamRecord[] {
  return numbers.map((number) => ({
    shard: "shardId-000000000000",
    sequenceNumber: String(number),
    partitionKey: "key",
    arrivedAt: Date.parse(time) + number,
    data: Buffer.from(`not json ${number}`),
  }));
}

/** Records land in the hour of their arrival. */
const clock = (): number => 0;

describe("landing", () => {
  let root: string;
  let store: ObjectStore;
  const stream = "orders";
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "landing-"));
    store = openFolderStore(root);
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it("writes one object with every record, whatever the contents", async () => {
    const landing = await landRecords({ store, stream, clock }, recordsAt("2015-01-01T16:59:59.990Z", 1, 2, 30));
    expect(landing).toMatchObject({ records: 3, created: true });
    expect(landing.key).toContain("bronze/orders/2015-01-01T16/shardId-000000000000/");
    const body = await store.get(landing.key);
    expect(body?.length).toBe(landing.bytes);
    const records = await decodeBronze(body ?? new Uint8Array());
    expect(records.map(({ data }) => Buffer.from(data).toString())).toEqual([
      "not json 1",
      "not json 2",
      "not json 30",
    ]);
  });

  it("does no harm when the same batch lands twice", async () => {
    const first = await landRecords({ store, stream, clock }, recordsAt("2015-01-01T16:00:00Z", 1, 2));
    const second = await landRecords({ store, stream, clock }, recordsAt("2015-01-01T16:00:00Z", 1, 2));
    expect(second).toEqual({ ...first, created: false });
    expect(await listBronze(store, stream)).toHaveLength(1);
  });

  it("keeps both objects when a retry has other boundaries", async () => {
    await landRecords({ store, stream, clock }, recordsAt("2015-01-01T16:00:00Z", 1, 2));
    await landRecords({ store, stream, clock }, recordsAt("2015-01-01T16:00:00Z", 1, 2, 3));
    expect((await listBronze(store, stream)).map(({ first, last, count }) => [first, last, count])).toEqual([
      ["1", "2", 2],
      ["1", "3", 3],
    ]);
  });

  it("fails, and leaves nothing, if the store fails", async () => {
    const broken: ObjectStore = {
      ...store,
      put: async () => {
        throw new Error("the disk is full");
      },
    };
    await expect(landRecords({ store: broken, stream }, recordsAt("2015-01-01T16:00:00Z", 1))).rejects.toThrow(
      "disk is full",
    );
    expect(await listBronze(store, stream)).toEqual([]);
  });

  it("finds the objects of a range of hours, open or closed, short or long, and of that stream only", async () => {
    const hours = ["2014-12-31T23", "2015-01-01T00", "2015-01-01T07", "2015-03-01T07"];
    for (const hour of hours) await landRecords({ store, stream, clock }, recordsAt(`${hour}:30:00Z`, 1));
    await landRecords({ store, stream: "orders-2" }, recordsAt("2015-01-01T01:00:00Z", 1));
    await store.put("bronze/orders/2015-01-01T07/notes.txt", Buffer.from("not ours"));
    const hoursOf = async (range: { fromHour?: string; toHour?: string }) =>
      (await listBronze(store, stream, range)).map(({ hour }) => hour);

    expect(await hoursOf({})).toEqual(hours);
    expect(await hoursOf({ fromHour: "2015-01-01T00" })).toEqual(hours.slice(1));
    expect(await hoursOf({ toHour: "2015-01-01T00" })).toEqual(hours.slice(0, 2));
    expect(await hoursOf({ fromHour: "2014-12-31T23", toHour: "2015-01-01T00" })).toEqual(hours.slice(0, 2));
    expect(await hoursOf({ fromHour: "2015-01-01T00", toHour: "2015-03-01T06" })).toEqual(hours.slice(1, 3));
    expect(await hoursOf({ fromHour: "2015-01-02T00", toHour: "2015-01-01T00" })).toEqual([]);
    await expect(listBronze(store, stream, { fromHour: "x", toHour: "y" })).rejects.toThrow(
      "Bronze hour x: not an hour",
    );
  });
});
