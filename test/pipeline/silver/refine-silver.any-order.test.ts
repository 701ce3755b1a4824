import * as fc from "fast-check";
import { expect, it } from "vitest";
import type { StreamRecord } from "../../../pipeline/ports.ts";
import { catalog, order } from "../../support/order-fixture.ts";
import { openSilverPipeline, record, type SilverPipeline } from "./refine-fixture.ts";

const pizzas = [...catalog.pizzas.values()].map(([pizza]) => pizza!);
const dates = ["2015-01-01", "2015-01-02"];

/** All revisions of a few orders; lines and status follow from order and revision, as a till would have it. */
function eventsOf(revisions: readonly number[]) {
  return revisions.flatMap((count, n) =>
    Array.from({ length: count }, (_, revision) =>
      order({
        order_id: `order-${n}`,
        revision,
        status: revision === 0 ? "placed" : revision % 2 === 1 ? "amended" : "cancelled",
        ordered_at: `${dates[n % 2]}T0${n % 7}:00:00Z`,
        lines: Array.from({ length: 1 + ((n + revision) % 3) }, (_line, i) => {
          const { pizza_id, price_cents } = pizzas[(n + revision + i) % 3]!;
          return { line_no: i + 1, pizza_id, quantity: 1 + revision, unit_price: price_cents / 100 };
        }),
        producer: { producer_id: "till-1", seq: 100 * n + revision },
      }),
    ),
  );
}

const history = fc.record({
  revisions: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 6 }),
  seed: fc.infiniteStream(fc.nat()),
  repeats: fc.integer({ min: 0, max: 3 }),
});

type Draw = (below: number) => number;

/** One random delivery of the events: some twice, in any order, in any split into records, objects and runs. */
function deliver(events: object[], draw: Draw, repeats: number): StreamRecord[][][] {
  const sent = [...events, ...Array.from({ length: repeats }, () => events[draw(events.length)]!)];
  const shuffled = sent
    .map((event) => ({ event, at: draw(1e9) }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ event }) => event);
  const records = split(shuffled, draw).map((group, n) =>
    record(n, group.length === 1 && draw(2) === 0 ? group[0] : group),
  );
  const objects = split(records, draw).flatMap((group) =>
    draw(3) === 0 ? [group, group.slice(draw(group.length))] : [group],
  );
  return split(
    objects.map((object) => ({ object, at: draw(1e9) })).toSorted((a, b) => a.at - b.at),
    draw,
  ).map((run) => run.map(({ object }) => object));
}

function split<Item>(items: readonly Item[], draw: Draw): Item[][] {
  const groups: Item[][] = [];
  for (const item of items) {
    if (groups.length === 0 || draw(3) === 0) groups.push([]);
    groups.at(-1)!.push(item);
  }
  return groups;
}

/** The columns that must be equal; an order's stream position may differ between deliveries of equal events. */
async function content(pipeline: SilverPipeline) {
  const rows = await pipeline.rows("* exclude (shard, sequence_number, record_index)");
  return rows.map((row) => ({
    ...row,
    payload_hash: String(row["payload_hash"]),
    producer_seq: String(row["producer_seq"]),
  }));
}

it("produces the same rows however the events are ordered, repeated, packed, landed and split into runs", async () => {
  await fc.assert(
    fc.asyncProperty(history, async ({ revisions, seed, repeats }) => {
      const events = eventsOf(revisions);
      const draw: Draw = (below) => seed.next().value % below;
      const [plain, messy] = [await openSilverPipeline(), await openSilverPipeline()];
      try {
        await plain.land(record(1, events));
        await plain.refine();
        for (const run of deliver(events, draw, repeats)) {
          for (const records of run) await messy.land(...records);
          await messy.refine(draw(2) === 0 ? {} : { maxEvents: 1 + draw(4) });
        }
        while ((await messy.refine()).bronzeObjects > 0);
        expect(await content(messy)).toEqual(await content(plain));
      } finally {
        plain.close();
        messy.close();
      }
    }),
    { numRuns: 20 },
  );
});
