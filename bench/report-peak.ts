import { writeFileSync } from "node:fs";

// Imported before another program: writes its peak resident memory and CPU time to a file when it exits.
const path = process.env["PIZZA_BENCH_PEAK"];
process.on("exit", () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  const report = { peakMiB: maxRSS / 1024, cpuSeconds: (userCPUTime + systemCPUTime) / 1e6 };
  if (path !== undefined) writeFileSync(path, JSON.stringify(report));
});
