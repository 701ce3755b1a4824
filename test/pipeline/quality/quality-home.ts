import { loadQualitySql } from "../../../adapters/project-files.ts";
import type { Warehouse } from "../../../pipeline/ports.ts";
import { chooseRules, lookAtQuality } from "../../../pipeline/quality/check-quality.ts";
import type { GoldHome } from "../gold/gold-home.ts";
import { catalog } from "../../support/order-fixture.ts";
import { changeDay, type Cells } from "../silver/change-day.ts";
import { event } from "./messy-day.ts";
import { openReceiptHome } from "../reconciliation/receipt-home.ts";

/** Five Wednesdays; the last of them is in the week that the rules judge. */
export const wednesdays = ["2015-02-04", "2015-02-11", "2015-02-18", "2015-02-25", "2015-03-04"];
export const lastWednesday = wednesdays.at(-1)!;

const lines = [
  { line_no: 1, pizza_id: "hawaiian_m", quantity: 1, unit_price: 13.25 },
  { line_no: 2, pizza_id: "bbq_ckn_s", quantity: 2, unit_price: 12.75 },
];

/** A home of one till, for the quality rules: honest orders go all the way to gold, and silver can be changed by hand. */
export async function openQualityHome(gold: GoldHome) {
  const home = await openReceiptHome(gold);
  // More than a day after the last Wednesday: its orders then count as replayed, not as late.
  home.time.now = Date.parse("2015-03-06T18:00:00Z");
  let seq = 0;

  /** The next event of the till. */
  const next = (id: string, changes: Record<string, unknown> = {}) => event(++seq, id, { lines, ...changes });

  const at = (day: string, n: number) => `${day}T${String(11 + (n % 8)).padStart(2, "0")}:00:00-05:00`;

  /** Orders of a day, named `<day>/<number>`. */
  const ordersOf = (day: string, count: number, changes: Record<string, unknown> = {}, first = 0) =>
    Array.from({ length: count }, (_, n) =>
      next(`${day}/${first + n}`, { ordered_at: at(day, first + n), emitted_at: `${day}T16:00:00Z`, ...changes }),
    );

  async function sell(events: object[]): Promise<void> {
    if (events.length > 0) await home.land(await home.send(events));
  }

  return {
    ...home,
    next,
    ordersOf,
    sell,
    /** Changes rows of a day in silver behind gold's back. Gives the way back. */
    changeDaySecretly: async (day: string, change: (rows: Cells[]) => Cells[]) =>
      await changeDay(home, day, change, { dataChange: false }),
    /** Changes rows of a day in silver, and publishes gold from that. Gives the way back. */
    async changeDay(day: string, change: (rows: Cells[]) => Cells[]): Promise<() => Promise<void>> {
      const restore = await changeDay(home, day, change);
      await home.publishGold();
      return async () => {
        await restore();
        await home.publishGold();
      };
    },
    /** Sells so many orders on each Wednesday, and one on the day after, so that the last Wednesday is complete. */
    async sellWednesdays(count: (day: string) => number, store_id = "nyc-01"): Promise<void> {
      const first = store_id === "nyc-01" ? 0 : 1000;
      await sell(wednesdays.flatMap((day) => ordersOf(day, count(day), { store_id }, first)));
      await sell([
        next("2015-03-05/0", {
          ordered_at: "2015-03-05T12:30:00-05:00",
          emitted_at: new Date(home.time.now).toISOString(),
        }),
      ]);
      await home.work();
    },
    /** The names of the rules that are red, and what they say. */
    async red(warehouse: Warehouse = gold.reader) {
      const { results } = await lookAtQuality(
        {
          silver: home.silver,
          lake: home.lake,
          warehouse,
          catalog,
          qualitySql: loadQualitySql(),
          clock: () => home.time.now,
        },
        { rules: chooseRules(undefined), verify: () => home.verify({ warehouse }) },
      );
      return Object.fromEntries(results.filter(({ isRed }) => isRed).map(({ name, examples }) => [name, examples]));
    },
  };
}

export type QualityHome = Awaited<ReturnType<typeof openQualityHome>>;
