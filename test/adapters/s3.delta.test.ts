import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { S3Client } from "@aws-sdk/client-s3";
import * as fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { newS3Client, openS3Store } from "../../adapters/s3.ts";
import type { DeltaTable } from "../../pipeline/delta/table.ts";
import { landRecords } from "../../pipeline/bronze/land-records.ts";
import type { ObjectStore } from "../../pipeline/ports.ts";
import { openSmall, smallRows, writeSmall } from "../pipeline/delta/small-table.ts";
import { testAccess } from "../support/aws-access.ts";
import type { S3Fault } from "../support/s3-faults.ts";
import { startS3Server, type S3Server } from "../support/s3-server.ts";

let root: string;
let server: S3Server;
let client: S3Client;
let store: ObjectStore;
let buckets = 0;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "s3-delta-"));
  server = await startS3Server({ root });
  client = newS3Client({ endpoint: server.url, ...testAccess });
  store = openS3Store({ bucket: "lake", client });
});
afterEach(async () => {
  client.destroy();
  await server.close();
  rmSync(root, { recursive: true });
});

const day = "2015-01-01";

/** Appends one row unless the table's log already has it, like a workflow step that may run twice. */
async function appendOnce(table: DeltaTable, id: string): Promise<boolean> {
  const { version, transactions } = await table.snapshot();
  if (transactions.has(id)) return true;
  const adds = [await writeSmall(table, day, smallRows(id))];
  const none = { operation: "WRITE", removes: [], operationMetrics: {} };
  const { committed } = await table.commit({
    ...none,
    readVersion: version,
    adds,
    transactions: [{ appId: id, version: 0 }],
  });
  return committed;
}

test("a commit that lost its response is recognized as its own", async () => {
  const table = openSmall(store);
  expect(await appendOnce(table, "first")).toBe(true);
  const { version } = await table.snapshot();
  const adds = [await writeSmall(table, day, smallRows("second"))];
  server.faults.push({ on: "PUT", kind: "lost answer" });
  const request = {
    operation: "WRITE",
    adds,
    removes: [],
    transactions: [],
    operationMetrics: {},
    readVersion: version,
  };
  expect(await table.commit(request)).toEqual({ committed: true, version: 1 });
  expect((await openSmall(store).snapshot()).files.size).toBe(2);
});

test("a landing that lost its response creates one object, and reports that it already existed", async () => {
  const records = [
    { shard: "shardId-0", sequenceNumber: "1", partitionKey: "k", arrivedAt: 0, data: Uint8Array.of(1) },
  ];
  server.faults.push({ on: "PUT", kind: "lost answer" });
  expect(await landRecords({ store, stream: "orders" }, records)).toMatchObject({ records: 1, created: false });
  expect(await store.list("bronze/orders/")).toHaveLength(1);
});

const faults = fc.array(
  fc.record({
    on: fc.constantFrom<S3Fault["on"][]>("PUT", "PUT", "GET", "LIST"),
    kind: fc.constantFrom<S3Fault["kind"][]>("internal error", "conflict", "reset", "lost answer", "error body"),
  }),
  { maxLength: 12 },
);

test("concurrent writers append every row exactly once, whatever errors S3 returns", async () => {
  const property = fc.asyncProperty(faults, async (unlucky) => {
    const lake = openS3Store({ bucket: `lake-${++buckets}`, client });
    server.faults.push(...unlucky.filter(({ on, kind }) => on === "PUT" || kind !== "conflict"));
    const rows = Array.from({ length: 6 }, (_, index) => `o-${index}`);
    const work = [0, 1, 2].map(async (writer) => {
      const table = openSmall(lake);
      // Two writers try to append each row.
      for (const row of rows.filter((_, index) => index % 3 === writer || (index + 1) % 3 === writer)) {
        while (!(await appendOnce(table, row).catch(() => false))) continue;
      }
    });
    await Promise.all(work);
    server.faults.splice(0);
    const { version, files, transactions } = await openSmall(lake).snapshot();
    expect(version).toBe(rows.length - 1);
    expect(files.size).toBe(rows.length);
    expect([...transactions.keys()].toSorted()).toEqual(rows);
  });
  await fc.assert(property, { numRuns: 5 });
});
