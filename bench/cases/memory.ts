import { execFile } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Case, Runner, BenchSetting } from "../case.ts";

const run = promisify(execFile);
const program = new URL("../../bin/pizza.ts", import.meta.url).pathname;
const reporter = new URL("../report-peak.ts", import.meta.url).href;

const memory: Case = {
  title: "memory: Node.js process of the local pipeline during the classic replay, without PostgreSQL",
  unit: "runs",
  rounds: 3,
  warmUp: false,
  variants: { "./pizza demo": replayClassic },
};

export default memory;

async function replayClassic({ dir }: BenchSetting): Promise<Runner> {
  const pipeline = join(dir, "demo");
  const peak = join(dir, "demo-peak.json");
  const clear = () => [pipeline, peak].forEach((path) => rmSync(path, { recursive: true, force: true }));
  return {
    before: async () => clear(),
    async run() {
      const demo = ["--import", reporter, program, "demo", "--json", "--dir", pipeline];
      const { stdout } = await run(process.execPath, demo, {
        env: { ...process.env, PIZZA_BENCH_PEAK: peak },
        maxBuffer: 16 * 2 ** 20,
      });
      const { balanced, seconds }: { balanced: boolean; seconds: number } = JSON.parse(stdout);
      if (!balanced)
        throw new Error(`./pizza demo: the receipt does not balance: run it by hand with --dir ${pipeline}`);
      const { peakMiB, cpuSeconds }: { peakMiB: number; cpuSeconds: number } = JSON.parse(readFileSync(peak, "utf8"));
      return { units: 1, figures: { peakMiB, demoSeconds: seconds, demoCpuSeconds: cpuSeconds } };
    },
    close: async () => clear(),
  };
}
