import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

// Node keeps compiled code (and TypeScript without its types) here: test files and the programs that they start load
// the same modules hundreds of times.
process.env["NODE_COMPILE_CACHE"] ??= join(tmpdir(), "node-compile-cache");

/** These files get separate processes: they mock modules, need CPU time, or change the environment or the umask. */
const alone = [
  "test/{attacks,e2e,fuzz,lambdas,ministack,object-stores,races,simulation}/**/*.test.ts",
  "test/pipeline/domain/order-event.versions.test.ts",
  "test/targets/aws/open.test.ts",
  "test/targets/local/lineage.test.ts",
  "test/targets/localstack-directory.test.ts",
];

export default defineConfig({
  test: {
    env: { PIZZA_CATALOG: "test/fixtures/catalog" },
    // Limits for a machine with ten times more work than cores; they only stop hanging tests.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    expect: { poll: { timeout: 60_000 } },
    globalSetup: "test/support/run-folder.ts",
    // Tests spend half of their time waiting for processes and disks, so every core gets a worker.
    maxWorkers: availableParallelism(),
    // Many tests start processes, which a shared machine may stall for seconds; a real failure fails twice.
    retry: process.env["CI"] === undefined ? 0 : 1,
    projects: [
      {
        extends: true,
        test: { name: "alone", include: alone },
      },
      {
        extends: true,
        // The other files share a process and its loaded modules: the CDK, DuckDB, the AWS SDK.
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
