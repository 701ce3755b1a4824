import { writeFileSync } from "node:fs";

// Imported before another program: when that ends, its highest resident memory and its CPU time stand in a file.
const path = process.env["PIZZA_BENCH_PEAK"];
process.on("exit", () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  const report = { peakMiB: maxRSS / 1024, cpuSeconds: (userCPUTime + systemCPUTime) / 1e6 };
  if (path !== undefined) writeFileSync(path, JSON.stringify(report));
});
