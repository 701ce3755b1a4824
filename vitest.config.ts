import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

// Node keeps compiled code (and TypeScript without its types) here: test files and the programs that they start load the same
// modules hundreds of times.
process.env["NODE_COMPILE_CACHE"] ??= join(tmpdir(), "node-compile-cache");

/** A separate process for each file: these tests mock modules, compete for CPU time, or change the environment or the umask. */
const alone = [
  "test/{attacks,e2e,ministack,object-stores,races,simulation}/**/*.test.ts",
  "test/pipeline/domain/order-event.versions.test.ts",
];

export default defineConfig({
  test: {
    env: { PIZZA_CATALOG: "test/fixtures/catalog" },
    // Limits for a machine with ten times as much to do as it has cores; they only end what hangs.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    expect: { poll: { timeout: 60_000 } },
    globalSetup: "test/support/run-folder.ts",
    // Half of a test's time is waiting for processes and disks, so every core gets a worker, and none stays free.
    maxWorkers: availableParallelism(),
    // Many tests start processes, and a shared machine may stall one for seconds: what is broken breaks twice.
    retry: process.env["CI"] === undefined ? 0 : 1,
    projects: [
      {
        extends: true,
        test: { name: "alone", include: alone },
      },
      {
        extends: true,
        // The other files share a process, and the modules that it has loaded: the CDK, DuckDB, the AWS SDK.
        test: {
          name: "shared",
          isolate: false,
          include: ["test/**/*.test.ts"],
          exclude: alone,
        },
      },
    ],
  },
});
