import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { OrderEvent } from "../../pipeline/domain/generated/order-event.types.ts";
import { openBenchPipeline, type BenchPipeline } from "../bench-pipeline.ts";
import { busyOrders } from "../busy-chain.ts";
import type { Case, Runner, BenchSetting } from "../case.ts";
import { prepareTables, tableFolder } from "../large-table.ts";

const dayMs = 86_400_000;
/** After the last day of the large table, but in the past: orders from the future are rejected. */
const firstNewDay = Date.UTC(2025, 5, 1);
const newOrders = 2000;
const lateOrders = 50;
const lateDays = 2;
const lateDaysSpread = 50;

const growth: Case = {
  title: "growth: refine, plan and publish the same new orders against a small and a large table of equal days",
  unit: "runs",
  prepare: prepareTables,
  variants: {
    "small table": (setting) => measureRuns(setting, "small"),
    "large table": (setting) => measureRuns(setting, "large"),
  },
};

export default growth;

async function measureRuns(setting: BenchSetting, which: "small" | "large"): Promise<Runner> {
  const folder = join(setting.dir, `growth-${which}`);
  rmSync(folder, { recursive: true, force: true });
  cpSync(tableFolder(setting, which), folder, { recursive: true });
  const pipeline = await openBenchPipeline({ dir: setting.dir, name: `growth-${which}`, lakeFolder: folder });
  await pipeline.publishChanged();
  const { files, partitions } = await pipeline.silver.snapshot();
  const rows = files.values().reduce((sum, file) => sum + file.rows, 0);
  const oldDays = [...partitions.keys()].toSorted();
  let round = 0;
  return {
    async run() {
      round++;
      const newDay = await seconds(pipeline, ordersOf(newDayOf(round), newOrders, round));
      const late = await seconds(
        pipeline,
        oldDays.slice(0, lateDays).flatMap((date) => ordersOf(date, lateOrders / lateDays, round)),
      );
      const figures = { rows, newDayMs: newDay * 1000, lateMs: late * 1000 };
      if (which === "small") return { units: 1, figures };
      const spread = oldDays.slice(lateDays, lateDays + lateDaysSpread);
      const lateSpread = await seconds(
        pipeline,
        spread.flatMap((date) => ordersOf(date, Math.ceil(lateOrders / spread.length), round)),
      );
      return { units: 1, figures: { ...figures, late50DaysMs: lateSpread * 1000 } };
    },
    async close() {
      await pipeline.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function newDayOf(round: number): string {
  return new Date(firstNewDay + round * dayMs).toISOString().slice(0, 10);
}

/** The day's first orders of another, equally busy chain; reproducible by round. */
function ordersOf(date: string, orders: number, round: number): OrderEvent[] {
  return [...busyOrders({ seed: 1000 + round, startAt: Date.parse(`${date}T10:00:00Z`), orders })];
}

/** Duration of the run that moves these orders from bronze to gold. */
async function seconds(pipeline: BenchPipeline, events: readonly OrderEvent[]): Promise<number> {
  await pipeline.land(events);
  const started = performance.now();
  const { accepted } = await pipeline.refine();
  if (accepted !== events.length) throw new Error(`growth: ${accepted} of ${events.length} orders were accepted`);
  await pipeline.publishChanged();
  return (performance.now() - started) / 1000;
}
