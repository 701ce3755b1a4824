import { RDSClient } from "@aws-sdk/client-rds";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { openRdsSnapshots } from "../../adapters/rds-snapshots.ts";
import { snapshotDatabase } from "../../pipeline/backup/back-up-warehouse.ts";
import type { DatabaseSnapshots } from "../../pipeline/ports.ts";
import { testAccess } from "../support/aws-access.ts";
import { startRdsServer, type RdsServer } from "../support/rds-server.ts";

const id = "20261124T041500000Z";
const name = "pizza-sales-dev-backup-20261124t041500000z";
const clock = () => Date.parse("2026-11-24T04:30:00Z");
let rds: RdsServer;
let snapshots: DatabaseSnapshots;

beforeAll(async () => {
  rds = await startRdsServer();
  snapshots = openRdsSnapshots({
    cluster: "pizza-sales-dev",
    database: "pizza",
    bucket: "backups",
    exportRoleArn: "arn:aws:iam::1:role/export",
    keyArn: "arn:aws:kms:eu-central-1:1:key/k",
    client: new RDSClient({ ...testAccess, endpoint: rds.url, maxAttempts: 1 }),
  });
});
afterAll(async () => await rds.close());
beforeEach(() => {
  rds.snapshots.clear();
  rds.exports.clear();
});

const step = async () => await snapshotDatabase({ snapshots, clock }, { id, keepDays: 1 });

test("a backup's snapshot is created, exported and completed; each step can be run twice", async () => {
  expect(await step()).toEqual({ snapshot: name, state: "creating", isDone: false, removed: [] });
  expect(await step()).toMatchObject({ state: "creating", isDone: false });
  rds.finish();
  expect(await step()).toMatchObject({ state: "exporting", isDone: false });
  expect(await step()).toMatchObject({ state: "exporting", isDone: false });
  rds.finish();
  expect(await step()).toMatchObject({ state: "complete", isDone: true });
  expect([...rds.snapshots.keys()]).toEqual([name]);
  expect(rds.exports.get(name)!.request).toMatchObject({
    SourceArn: `arn:aws:rds:eu-central-1:1:cluster-snapshot:${name}`,
    S3BucketName: "backups",
    S3Prefix: "exports",
    IamRoleArn: "arn:aws:iam::1:role/export",
    KmsKeyId: "arn:aws:kms:eu-central-1:1:key/k",
    "ExportOnly.member.1": "pizza.gold",
    "ExportOnly.member.2": "pizza.facts",
    "ExportOnly.member.3": "pizza.ops",
  });
});

test("only snapshots of older backups are deleted, once a newer one is complete", async () => {
  const older = "pizza-sales-dev-backup-20261101t041500000z";
  for (const known of [older, "pizza-sales-dev-before-upgrade", "pizza-sales-dev-backup-20261124t000000000z"]) {
    rds.snapshots.set(known, "available");
  }
  rds.snapshots.set(name, "available");
  await step();
  expect(rds.snapshots.has(older)).toBe(true);
  rds.finish();
  expect(await step()).toMatchObject({ isDone: true, removed: [older] });
  expect([...rds.snapshots.keys()].toSorted()).toEqual([
    "pizza-sales-dev-backup-20261124t000000000z",
    name,
    "pizza-sales-dev-before-upgrade",
  ]);
});

test("a failed snapshot or export fails the step, with the reason", async () => {
  rds.snapshots.set(name, "failed");
  await expect(step()).rejects.toThrow(`snapshot ${name} failed`);
  rds.snapshots.set(name, "available");
  rds.exports.set(name, { status: "FAILED", request: {}, cause: "the role may not write" });
  await expect(step()).rejects.toThrow(`export ${name} is FAILED: the role may not write`);
});
