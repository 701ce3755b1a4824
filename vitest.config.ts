import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    env: { PIZZA_CATALOG: "test/fixtures/catalog" },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Half of a test's time is waiting for processes and disks, so every core gets a worker, and none stays free.
    maxWorkers: availableParallelism(),
    // Many tests start processes, and a shared machine may stall one for seconds: what is broken breaks twice.
    retry: process.env["CI"] === undefined ? 0 : 1,
  },
});
