import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readProjectFile } from "../../../adapters/project-files.ts";
import type { EventSink } from "../../../pipeline/ports.ts";
import { drillNames, drills, type DrillName, type DrillReport } from "../../../targets/local/drill-kinds.ts";
import { runDrill } from "../../../targets/local/drills.ts";
import { openLocalPipeline } from "../../../targets/local/open.ts";
import type { Pipeline } from "../../../targets/operations.ts";

const root = mkdtempSync(join(tmpdir(), "pizza-drills-"));
let pipeline: Pipeline;
const log: string[] = [];

beforeAll(async () => {
  pipeline = await openLocalPipeline({ dir: join(root, "home"), onLog: (line) => log.push(line) });
});
afterAll(async () => {
  await pipeline.close();
  rmSync(root, { recursive: true, force: true });
});

const grown = ({ rows }: DrillReport) => Object.fromEntries(rows.map((row) => [row.name, row.after - row.before]));

/** What each drill must add to the receipt. */
const expected: Record<DrillName, Record<string, number>> = {
  burst: { events: 2000, accepted: 2000, "orders sold": 2000 },
  duplicates: { events: 80, accepted: 40, "event duplicates": 40, "orders sold": 40 },
  late: { events: 40, accepted: 40, "orders sold": 40 },
  cancelled: { events: 80, accepted: 40, "superseded revisions": 40, "orders sold": 0, "sales in gold": 0 },
  rejected: { events: 10, accepted: 0, quarantined: 10, "orders sold": 0, "sales in gold": 0 },
  landing: { events: 400, accepted: 400, "orders sold": 400 },
  postgres: { events: 400, accepted: 400, "orders sold": 400 },
};

it("docs/command-line.md lists every drill in its own words", () => {
  const page = readProjectFile("docs/command-line.md");
  for (const [name, { does }] of Object.entries(drills)) expect(page).toContain(`| \`${name}\` | ${does} |`);
});

describe("a drill", () => {
  it.each(drillNames)("%s adds to the receipt what the tills know, and leaves it balanced", async (drill) => {
    const report = await pipeline.drill({ drill });
    expect(grown(report)).toMatchObject(expected[drill]);
    expect(report).toMatchObject({ drill, otherEvents: 0, isKept: true, receipt: { findings: [] } });
    const { "sales in bronze": bronze, "sales in silver": silver, "sales in gold": gold } = grown(report);
    expect([silver, gold]).toEqual([bronze, bronze]);
    expect(report.broke !== null).toBe(drill === "landing" || drill === "postgres");
  });

  it("breaks what it says: landing failed in both ways, and PostgreSQL was started again", () => {
    for (const line of ["fails before it writes", "fails after it has written", "PostgreSQL has exited"]) {
      expect(log.filter((each) => each.includes(line))).not.toEqual([]);
    }
  });

  it("is not kept if the stream acknowledges an event that it loses", async () => {
    const losing: EventSink = {
      openShards: () => pipeline.sink.openShards(),
      async putRecords([lost, ...records]) {
        const results = await pipeline.sink.putRecords(records);
        return lost === undefined ? results : [{ shard: "shardId-000000000000", sequenceNumber: "1" }, ...results];
      },
    };
    const { drain, verify } = pipeline;
    const report = await runDrill("duplicates", {
      sink: losing,
      drain,
      verify,
      failLanding: () => {},
      killPostgres: async () => 0,
    });
    expect(report.isKept).toBe(false);
  });
});
