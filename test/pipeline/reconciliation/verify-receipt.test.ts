import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { encodeFailedBatch } from "../../../pipeline/bronze/on-failure-objects.ts";
import { resentKey } from "../../../pipeline/domain/stream-position.ts";
import { openGoldHome, type GoldHome } from "../gold/gold-home.ts";
import { event, sellMessily } from "../quality/messy-day.ts";
import { openReceiptHome, type ReceiptHome } from "./receipt-home.ts";

let gold: GoldHome;
let home: ReceiptHome;
beforeAll(async () => {
  gold = await openGoldHome();
});
afterAll(() => gold.close());
beforeEach(async () => {
  home = await openReceiptHome(gold);
});
afterEach(() => home.close());

/** An event of the till that was cut off before or behind a text. */
function cut(seq: number, before: string): Buffer {
  const text = JSON.stringify(event(seq, "cut"));
  return Buffer.from(text.slice(0, before === "}}" ? -1 : text.indexOf(before)));
}

const sales = { orders: 6, lines: 7, pizzas: 10, cents: 14_125 };

describe("the receipt of an honest run", () => {
  it("balances, with every record and event in its class, however messy it was", async () => {
    await sellMessily(home);
    expect(await home.verify()).toEqual({
      records: { sent: 6, landed: 8, onFailure: 0, waiting: 0, transportDuplicates: 2, distinct: 6 },
      events: {
        distinct: 15,
        accepted: 7,
        eventDuplicates: 1,
        supersededRevisions: 3,
        quarantined: { not_json: 1, conflicting_payload: 1, unknown_store: 1, bad_utf8: 1 },
        closed: 0,
        pending: 0,
      },
      notSales: 1,
      expected: sales,
      silver: sales,
      gold: sales,
      unpublishedDays: [],
      producers: 1,
      notes: [
        {
          invariant: "no gap in a till's numbers",
          sentence: "1 tills lack numbers that unreadable events may have borne",
          examples: ["till-1: 4"],
        },
      ],
      findings: [],
    });
  });

  it("balances before anything was sent", async () => {
    expect(await home.verify()).toMatchObject({ findings: [], records: { sent: 0 }, expected: { orders: 0 } });
  });

  it("says what has not landed, is not refined, or is not published yet, and is no finding", async () => {
    await home.land(await home.send([event(1, "a")]));
    await home.work();
    const records = await home.send([event(2, "b")]);
    expect(await home.verify()).toMatchObject({ findings: [], records: { sent: 2, landed: 1, waiting: 1 } });
    await home.land(records);
    expect(await home.verify()).toMatchObject({
      findings: [],
      records: { waiting: 0 },
      events: { accepted: 1, pending: 1 },
    });
    await home.refine();
    expect(await home.verify()).toMatchObject({
      findings: [],
      events: { accepted: 2, pending: 0 },
      silver: { orders: 2 },
      gold: { orders: 1 },
      unpublishedDays: ["2015-01-01"],
    });
    await home.publishGold();
    expect(await home.verify()).toMatchObject({ findings: [], gold: { orders: 2 }, unpublishedDays: [] });
  });

  it("counts a refused event from silver's commit on, before the quarantine is published", async () => {
    await home.land(await home.send([Buffer.from("rubbish")]));
    await home.refine();
    expect(await home.verify()).toMatchObject({ findings: [], events: { quarantined: { not_json: 1 } } });
    await home.publishQuarantine();
    expect(await home.verify()).toMatchObject({ findings: [], events: { quarantined: { not_json: 1 } } });
  });

  it("closes a refused event that was corrected and sent again, whether its order could be read or not", async () => {
    const wrong = event(1, "a", { store_id: "mars-01" });
    const [first, second] = await home.send([wrong], Buffer.from("rubbish"));
    await home.land([first!, second!]);
    await home.work();
    expect(await home.verify()).toMatchObject({
      findings: [],
      events: { closed: 0, quarantined: { unknown_store: 1 } },
    });
    const place = `${second!.shard}/${second!.sequenceNumber}/0`;
    await home.land(await home.sendUnder(resentKey(place), Buffer.from(JSON.stringify(event(2, "b")))));
    await home.work();
    expect(await home.verify()).toMatchObject({ findings: [], events: { closed: 1, accepted: 1 } });
  });

  it("does not close a refused event by one that silver refuses too", async () => {
    const [rubbish] = await home.send(Buffer.from("rubbish"));
    await home.land([rubbish!]);
    const place = `${rubbish!.shard}/${rubbish!.sequenceNumber}/0`;
    await home.land(await home.sendUnder(resentKey(place), Buffer.from("more rubbish")));
    await home.work();
    expect(await home.verify()).toMatchObject({ findings: [], events: { closed: 0, quarantined: { not_json: 2 } } });
  });

  it("finds a record in the on-failure store", async () => {
    const [record] = await home.send(Buffer.from("rubbish"));
    const { key, body } = encodeFailedBatch({
      name: "landing",
      streamArn: "orders",
      functionArn: "landing",
      records: [record!],
      condition: "RetryAttemptsExhausted",
      invokeCount: 3,
      failedAt: 0,
    });
    await home.onFailure.put(key, body);
    home.confirm([record!]);
    expect(await home.verify()).toMatchObject({
      findings: [],
      records: { sent: 1, landed: 0, onFailure: 1, waiting: 0 },
    });
  });

  it("names an object of the on-failure store that it cannot read, and counts what it can", async () => {
    await home.onFailure.put("aws/lambda/half a batch", Buffer.from('{"payload":'));
    await home.land(await home.send([event(1, "a")]));
    await home.work();
    expect(await home.verify()).toMatchObject({
      findings: [{ invariant: "sent = landed", examples: ["aws/lambda/half a batch"] }],
      records: { sent: 1, landed: 1, onFailure: 0 },
    });
  });

  it.each<[what: string, sent: (object[] | Buffer)[], numbers: string]>([
    ["was cut behind its till's name", [[event(1, "a"), event(3, "c")], cut(2, '"seq"')], "2"],
    ["has its number still", [[event(1, "a"), event(4, "c")], cut(2, "}}"), cut(3, "}}")], "2-3"],
    ["stands between its till's numbers in one batch", [[event(1, "a"), Buffer.from("damaged"), event(3, "c")]], "2"],
  ])("lets a damaged event stand for the number that its till lacks: it %s", async (_, sent, numbers) => {
    await home.land(await home.send(...sent));
    await home.work();
    expect(await home.verify()).toMatchObject({
      findings: [],
      notes: [
        {
          invariant: "no gap in a till's numbers",
          sentence: "1 tills lack numbers that unreadable events may have borne",
          examples: [`till-1: ${numbers}`],
        },
      ],
    });
  });

  it("lets a damaged event stand for the number of the till that its partition key names", async () => {
    await home.land(await home.send([event(1, "a"), event(3, "c")]));
    await home.land(await home.sendUnder("till-1", Buffer.from("damaged")));
    await home.work();
    expect(await home.verify()).toMatchObject({ findings: [], notes: [{ examples: ["till-1: 2"] }] });
  });

  it("still balances after a day was published again and again, and segments follow later days", async () => {
    for (let n = 1; n <= 5; n++) {
      const customer = { customer_id: `c-${n % 3}` };
      await home.land(
        await home.send([event(n, `order-${n}`, { customer, ordered_at: `2015-01-${28 + (n % 4)}T10:00:00Z` })]),
      );
      await home.work();
      expect((await home.verify()).findings).toEqual([]);
    }
  });
});
