import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openFolderStore } from "../../../adapters/folder-store.ts";
import { lineageEndpointFrom } from "../../../adapters/lineage-endpoint.ts";
import { readLineageEvents } from "../../../pipeline/lineage/record-lineage.ts";
import type { LineageEvent } from "../../../pipeline/lineage/open-lineage.ts";
import { goldTables } from "../../../pipeline/lineage/datasets.ts";
import { dataDirectory } from "../../../targets/local/data-directory.ts";
import { createLineageRecorder } from "../../../targets/local/lineage.ts";
import { openLocalPipeline } from "../../../targets/local/open.ts";
import { createRunLedger } from "../../../targets/local/run-ledger.ts";
import { pizza, sendOrders, temporaryPipeline } from "../../e2e/command-line-fixture.ts";
import { order } from "../../support/order-fixture.ts";
import { startHttpServer, type HttpRequest, type TestServer } from "../../support/http-server.ts";
import { mistakesOf } from "../../pipeline/lineage/validate-event.ts";

let pipeline: ReturnType<typeof temporaryPipeline>;
let server: TestServer;
let told: HttpRequest[];
let status: number;
beforeEach(async () => {
  pipeline = temporaryPipeline();
  [told, status] = [[], 201];
  server = await startHttpServer(async (request) => {
    told.push(request);
    return { status, body: status === 201 ? "" : "not today" };
  });
});
afterEach(async () => {
  await server.close();
  pipeline.remove();
});

const kept = () =>
  readLineageEvents(openFolderStore(dataDirectory(pipeline.dir).lake), { since: "2026-01-01", limit: 999 });
const endpoint = () => lineageEndpointFrom({ OPENLINEAGE_URL: server.url, OPENLINEAGE_API_KEY: "secret" });

function orders(count: number) {
  return Array.from({ length: count }, (_, n) =>
    order({ order_id: `o-${n}`, producer: { producer_id: "till-nyc-01-1", seq: n + 1 } }),
  );
}

describe("a local pipeline", () => {
  it("records every run as valid events, sends them to the endpoint, and lists them while it is stopped", async () => {
    Object.assign(process.env, { OPENLINEAGE_URL: server.url, OPENLINEAGE_API_KEY: "secret" });
    const opened = await openLocalPipeline({ dir: pipeline.dir }).finally(() => {
      delete process.env["OPENLINEAGE_URL"];
      delete process.env["OPENLINEAGE_API_KEY"];
    });
    let tables;
    try {
      await sendOrders(opened.sink, orders(7));
      await opened.drain();
      await opened.run({ workflow: "data_quality" });
      tables = await opened.query({
        sql: "select table_name as name from information_schema.tables where table_schema = 'gold' and table_type = 'BASE TABLE'",
      });
    } finally {
      await opened.close();
    }
    const events = await kept();
    expect(events.flatMap(mistakesOf)).toEqual([]);
    expect(told.map(({ body }) => JSON.parse(body.toString()))).toEqual(expect.arrayContaining(events));
    expect(told[0]).toMatchObject({ method: "POST", headers: { authorization: "Bearer secret" } });
    expect(told[0]!.url.pathname).toBe("/api/v1/lineage");
    expect(namesOf(events)).toEqual(new Set(["bronze_to_silver", "silver_to_gold", "data_quality"]));
    for (const [, changes] of Map.groupBy(events, ({ run }) => run.runId)) {
      expect(changes.map(({ eventType }) => eventType)).toEqual(["START", "COMPLETE"]);
    }
    expect(linesOf(events)).toBe(7);
    expect(tables.map(({ name }) => name)).toEqual(expect.arrayContaining([...goldTables]));

    const { code, stdout } = await pizza(pipeline.dir, "lineage", "--json");
    expect({ code, shown: JSON.parse(stdout) as unknown }).toEqual({ code: 0, shown: events });
    const text = await pizza(pipeline.dir, "lineage", "--workflow", "silver_to_gold");
    expect(text.stdout).toMatch(
      new RegExp(`silver_to_gold +COMPLETE +\\d+ +silver/order_lines v0 +${goldTables.length} tables of gold v0`),
    );
    expect(text.stdout).not.toContain("bronze_to_silver");
    expect((await pizza(pipeline.dir, "lineage", "--since", "yesterday")).code).toBe(2);
  });
});

const namesOf = (events: LineageEvent[]) => new Set(events.map(({ job }) => job.name));

/** The number of rows that runs wrote to silver, from their events. */
function linesOf(events: LineageEvent[]): number {
  const written = events.flatMap(({ outputs }) => outputs.filter(({ name }) => name.endsWith("silver/order_lines")));
  return written.reduce(
    (sum, { outputFacets }) => sum + Number(outputFacets?.["outputStatistics"]?.["rowCount"] ?? 0),
    0,
  );
}

describe("the run ledger of a local pipeline", () => {
  const log: string[] = [];
  const ledgerOf = (sink = endpoint()) => {
    const lineage = createLineageRecorder({
      folder: dataDirectory(pipeline.dir),
      store: openFolderStore(dataDirectory(pipeline.dir).lake),
      database: async () => ({ host: "127.0.0.1", port: 5432, database: "pizza_sales" }),
      endpoint: sink,
      onLog: (line) => log.push(line),
    });
    const warehouse = { query: async () => [] };
    return { lineage, ledger: createRunLedger({ warehouse, clock: Date.now, onRun: (run) => lineage.record(run) }) };
  };

  it("records a failed run with its reason, and no run without work", async () => {
    const { lineage, ledger } = ledgerOf();
    const fails = ledger.record("silver_to_gold", () => Promise.reject(new Error("no disk")));
    await expect(fails).rejects.toThrow("no disk");
    await ledger.record("bronze_to_silver", async () => ({ refined: { bronzeObjects: 0 } }));
    await lineage.settled();
    const events = await kept();
    expect(events.map(({ eventType }) => eventType)).toEqual(expect.arrayContaining(["START", "FAIL"]));
    expect(events).toHaveLength(2);
    const failed = events.find(({ eventType }) => eventType === "FAIL")!;
    expect(failed.run.facets["errorMessage"]).toMatchObject({ message: "no disk" });
    expect(mistakesOf(failed)).toEqual([]);
  });

  it.each([
    [
      "rejects",
      () => endpoint(),
      /rejects the event with status 503: check OPENLINEAGE_URL \(response: not today\); sending is paused/,
    ],
    [
      "is unreachable",
      () => lineageEndpointFrom({ OPENLINEAGE_URL: "http://127.0.0.1:1" }),
      /does not answer: check OPEN/,
    ],
  ])("logs an error and continues if the endpoint %s", async (_how, sink, words) => {
    status = 503;
    const { lineage, ledger } = ledgerOf(sink());
    log.splice(0);
    await ledger.record("data_quality", async () => ({ receipt: {} }));
    await lineage.settled();
    expect(log).toEqual([expect.stringMatching(words)]);
    expect(await kept()).toHaveLength(2);
  });
});

it("an invalid address is rejected when the pipeline opens", () => {
  expect(() => lineageEndpointFrom({ OPENLINEAGE_URL: "marquez" })).toThrow(
    "OPENLINEAGE_URL marquez is not a URL: set it to an address such as http://127.0.0.1:5000",
  );
});
