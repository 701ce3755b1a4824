import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { projectFile } from "./project-file.ts";

const folder = ".github/workflows";

interface Step {
  uses?: string;
  with?: Record<string, unknown>;
}

interface Workflow {
  permissions?: unknown;
  concurrency?: unknown;
  jobs: Record<string, Step & { "timeout-minutes"?: number; steps?: Step[] }>;
}

const pinned = /^[\w.-]+(\/[\w.-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/;

/** The problems of a workflow: GitHub's hardening guide requires the first three. */
function faults(text: string): string[] {
  const workflow: Workflow = parse(text);
  const jobs = Object.entries(workflow.jobs);
  const checkouts = jobs.flatMap(([, { steps = [] }]) => steps.filter(({ uses }) => uses?.includes("/checkout@")));
  return [
    // The parser drops comments, so the lines are read as text.
    ...[...text.matchAll(/^\s*(?:- )?uses:\s*(.+)$/gm)]
      .map(([, action]) => action!)
      .filter((action) => !action.startsWith("./") && !pinned.test(action))
      .map((action) => `${action}: not pinned to a commit with its version in a comment`),
    ...(workflow.permissions === undefined ? ["no top-level permissions"] : []),
    ...checkouts
      .filter((step) => step.with?.["persist-credentials"] !== false)
      .map(() => "a checkout leaves its credentials behind"),
    ...(workflow.concurrency === undefined ? ["no concurrency group"] : []),
    // A job that calls another workflow has that workflow's timeouts.
    ...jobs
      .filter(([, job]) => !job.uses?.startsWith("./") && job["timeout-minutes"] === undefined)
      .map(([name]) => `job ${name}: no timeout`),
  ];
}

/** The number of `uses` in the parsed workflow, to detect one that the text search misses. */
function countUses(text: string): number {
  const { jobs }: Workflow = parse(text);
  return Object.values(jobs)
    .flatMap((job) => [job, ...(job.steps ?? [])])
    .filter(({ uses }) => uses !== undefined).length;
}

describe("a workflow", () => {
  test.each(readdirSync(new URL(`../../${folder}`, import.meta.url)))(
    "has pinned actions, limited permissions and timeouts: %s",
    (name) => {
      const text = projectFile(`${folder}/${name}`);
      expect(faults(text)).toEqual([]);
      expect(text.match(/\buses:/g) ?? []).toHaveLength(countUses(text));
    },
  );

  test("with a problem is detected", () => {
    const careless = `
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v6
      - name: Node
        uses: actions/setup-node@395ad3262231945c25e8478fd5baf05154b1d79f
  call:
    uses: someone/else/.github/workflows/build.yml@main
`;
    expect(faults(careless)).toEqual([
      "actions/checkout@v6: not pinned to a commit with its version in a comment",
      "actions/setup-node@395ad3262231945c25e8478fd5baf05154b1d79f: not pinned to a commit with its version in a comment",
      "someone/else/.github/workflows/build.yml@main: not pinned to a commit with its version in a comment",
      "no top-level permissions",
      "a checkout leaves its credentials behind",
      "no concurrency group",
      "job test: no timeout",
      "job call: no timeout",
    ]);
  });
});
