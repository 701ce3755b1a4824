import { loadQualitySql } from "../../../adapters/project-files.ts";
import type { Warehouse } from "../../../pipeline/ports.ts";
import { chooseRules, previewQuality } from "../../../pipeline/quality/check-quality.ts";
import type { GoldPipeline } from "../gold/gold-fixture.ts";
import { catalog } from "../../support/order-fixture.ts";
import { changeDay, type Cells } from "../silver/change-day.ts";
import { event } from "./messy-day.ts";
import { openReceiptPipeline } from "../reconciliation/receipt-fixture.ts";

/** Five Wednesdays; the last one is in the week that the rules check. */
export const wednesdays = ["2015-02-04", "2015-02-11", "2015-02-18", "2015-02-25", "2015-03-04"];
export const lastWednesday = wednesdays.at(-1)!;

const lines = [
  { line_no: 1, pizza_id: "hawaiian_m", quantity: 1, unit_price: 13.25 },
  { line_no: 2, pizza_id: "bbq_ckn_s", quantity: 2, unit_price: 12.75 },
];

/** Opens a pipeline with one till for the quality rules: orders go all the way to gold, and silver can be changed. */
export async function openQualityPipeline(gold: GoldPipeline) {
  const pipeline = await openReceiptPipeline(gold);
  // More than a day after the last Wednesday: its orders then count as replayed, not as late.
  pipeline.time.now = Date.parse("2015-03-06T18:00:00Z");
  let seq = 0;

  /** The next event of the till, which sends history. */
  const next = (id: string, changes: Record<string, unknown> = {}) => {
    seq += 1;
    return event(seq, id, { lines, producer: { producer_id: "replay:till-1", seq }, ...changes });
  };

  const at = (day: string, n: number) => `${day}T${String(11 + (n % 8)).padStart(2, "0")}:00:00-05:00`;

  /** Creates orders of a day, with the ids `<day>/<number>`. */
  const ordersOf = (day: string, count: number, changes: Record<string, unknown> = {}, first = 0) =>
    Array.from({ length: count }, (_, n) =>
      next(`${day}/${first + n}`, { ordered_at: at(day, first + n), emitted_at: `${day}T16:00:00Z`, ...changes }),
    );

  async function sell(events: object[]): Promise<void> {
    if (events.length > 0) await pipeline.land(await pipeline.send(events));
  }

  return {
    ...pipeline,
    next,
    ordersOf,
    sell,
    /** Changes rows of a day in silver without publishing gold. Returns a function that undoes it. */
    changeDaySecretly: async (day: string, change: (rows: Cells[]) => Cells[]) =>
      await changeDay(pipeline, day, change, { dataChange: false }),
    /** Changes rows of a day in silver and publishes gold from it. Returns a function that undoes it. */
    async changeDay(day: string, change: (rows: Cells[]) => Cells[]): Promise<() => Promise<void>> {
      const restore = await changeDay(pipeline, day, change);
      await pipeline.publishGold();
      return async () => {
        await restore();
        await pipeline.publishGold();
      };
    },
    /** Sells that many orders on each Wednesday, and one on the next day, so that the last Wednesday is complete. */
    async sellWednesdays(count: (day: string) => number, store_id = "nyc-01"): Promise<void> {
      const first = store_id === "nyc-01" ? 0 : 1000;
      await sell(wednesdays.flatMap((day) => ordersOf(day, count(day), { store_id }, first)));
      await sell([
        next("2015-03-05/0", {
          ordered_at: "2015-03-05T12:30:00-05:00",
          emitted_at: new Date(pipeline.time.now).toISOString(),
        }),
      ]);
      await pipeline.work();
    },
    /** Returns the red rules, with their examples. */
    async red(warehouse: Warehouse = gold.reader) {
      const { results } = await previewQuality(
        {
          silver: pipeline.silver,
          lake: pipeline.lake,
          warehouse,
          catalog,
          qualitySql: loadQualitySql(),
          clock: () => pipeline.time.now,
        },
        { rules: chooseRules(undefined), verify: () => pipeline.verify({ warehouse }) },
      );
      return Object.fromEntries(results.filter(({ isRed }) => isRed).map(({ name, examples }) => [name, examples]));
    },
  };
}

export type QualityPipeline = Awaited<ReturnType<typeof openQualityPipeline>>;
