import { afterEach, beforeEach, expect, it } from "vitest";
import { readProjectFile } from "../../../adapters/project-files.ts";
import type { EventSink, OutgoingRecord } from "../../../pipeline/ports.ts";
import { correctById } from "../../../pipeline/quarantine/correct-by-id.ts";
import { heldOrders, listQuarantined } from "../../../pipeline/quarantine/list-quarantined.ts";
import { catalog, order } from "../../support/order-fixture.ts";
import { noon, openSilverPipeline, record, type SilverPipeline } from "../silver/refine-fixture.ts";

let pipeline: SilverPipeline;
beforeEach(async () => {
  pipeline = await openSilverPipeline();
});
afterEach(() => pipeline.close());

const sql = readProjectFile("sql/checks/rejected-events.sql");
const quarantined = () => listQuarantined({ ...pipeline.openRefinery(), lake: pipeline.lake, sql });
const sources = () => ({
  quarantined,
  heldOrders: (orders: Parameters<typeof heldOrders>[1]) =>
    heldOrders({ ...pipeline.openRefinery(), lake: pipeline.lake }, orders),
  catalog,
  now: noon + 60_000,
});
const sent: OutgoingRecord[] = [];
const sink: EventSink = {
  putRecords: async (records) => {
    sent.push(...records);
    return records.map((_, index) => ({ shard: "0", sequenceNumber: String(index) }));
  },
  openShards: async () => 1,
};

it("says what silver would do with each event, and sends only those that it would accept", async () => {
  const wrong = (order_id: string, channel: string) => order({ order_id, channel: channel as "online" });
  await pipeline.land(record(1, wrong("x-1", "pigeon")), record(2, wrong("x-2", "owl")));
  await pipeline.refine();
  await pipeline.publish();
  const ids = (await quarantined()).map(({ id }) => id);
  const given = { ids, edits: ["channel=pigeon->online"] };
  const [mended, other] = await correctById(sources(), given);
  expect(mended).toMatchObject({
    id: ids[0],
    problem: null,
    changes: [{ path: "channel", before: "pigeon", after: "online" }],
    order: { orderId: "x-1", channel: "online" },
    sentAs: null,
  });
  expect(other).toMatchObject({ id: ids[1], problem: expect.stringContaining("channel") as string, order: null });
  expect(sent).toEqual([]);
  const outcome = await correctById(sources(), given, sink);
  expect(outcome.map(({ sentAs }) => sentAs)).toEqual([{ shard: "0", sequenceNumber: "0" }, null]);
  expect(sent.map(({ data }) => (JSON.parse(Buffer.from(data).toString()) as { order_id: string }).order_id)).toEqual([
    "x-1",
  ]);
});

it("rejects an id that does not exist, and an edit that cannot be parsed", async () => {
  await expect(correctById(sources(), { ids: ["0000000000"], edits: [] })).rejects.toThrow("does not exist");
  await expect(correctById(sources(), { ids: [], edits: ["channel"] })).rejects.toThrow("write path=value");
});
