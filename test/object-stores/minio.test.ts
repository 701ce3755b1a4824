import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ListObjectVersionsCommand, PutBucketVersioningCommand } from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDuckDbOverStore } from "../../adapters/duckdb-over-store.ts";
import { openS3Eraser, openS3Store } from "../../adapters/s3.ts";
import { landRecords } from "../../pipeline/bronze/land-records.ts";
import type { ObjectStore } from "../../pipeline/ports.ts";
import {
  compactSilver,
  openQuarantine,
  openSilver,
  orderStream,
  quarantineLakeTable,
  silverLakeTable,
} from "../../pipeline/silver/tables.ts";
import { publishQuarantine } from "../../pipeline/silver/quarantine-table.ts";
import { refineSilver } from "../../pipeline/silver/refine-silver.ts";
import { checkPutIfAbsent } from "../../targets/aws/check-deployment.ts";
import { keepsTheContract } from "../adapters/object-store-contract.ts";
import { catalog, order } from "../support/order-fixture.ts";
import { customerKey, noon, record } from "../pipeline/silver/refine-fixture.ts";
import { clientOf, makeBucket, storeInNewBucket } from "./bucket.ts";

/** MinIO's endpoint; `run.ts` starts one, and the tests are skipped if it is not set. */
const endpoint = process.env["PIZZA_TEST_MINIO"];
/** A Python with delta-rs. */
const python = process.env["PIZZA_TEST_DELTA_RS"];
const keys = { accessKeyId: "pizza-sales", secretAccessKey: "pizza-sales" };
const clock = () => noon;

describe.skipIf(endpoint === undefined)("a lake on MinIO", () => {
  const client = clientOf(endpoint ?? "http://127.0.0.1:1", keys);
  const folders: string[] = [];
  let bucket: string;
  beforeEach(async () => {
    bucket = await makeBucket(client);
  });
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });
  afterAll(() => client.destroy());

  const open = (): ObjectStore => openS3Store({ bucket, client });
  keepsTheContract({ open, openEmpty: () => storeInNewBucket(client) });

  it("reads a listing of several pages", async () => {
    const store = open();
    const wanted = Array.from({ length: 1203 }, (_, index) => `a/${String(index).padStart(4, "0")}`);
    for (let from = 0; from < wanted.length; from += 50) {
      await Promise.all(wanted.slice(from, from + 50).map((key) => store.put(key, Buffer.from("1"))));
    }
    expect((await store.list("a/")).map(({ key }) => key)).toEqual(wanted);
  });

  it("erases an object of a versioned bucket with every version of it", async () => {
    const Status = "Enabled" as const;
    await client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status } }));
    const store = open();
    for (const text of ["one", "two"]) await store.put("a/b", Buffer.from(text));
    await store.delete("a/b");
    await store.put("a/b", Buffer.from("three"));
    await store.put("a/bc", Buffer.from("other"));
    const versions = async () => {
      const found = await client.send(new ListObjectVersionsCommand({ Bucket: bucket }));
      return [...(found.Versions ?? []), ...(found.DeleteMarkers ?? [])].map(({ Key }) => Key);
    };
    expect(await versions()).toHaveLength(5);
    await openS3Eraser({ bucket, client }).erase("a/b");
    expect(await versions()).toEqual(["a/bc"]);
    expect(await store.get("a/b")).toBeUndefined();
  });

  it("passes the doctor's checks, which leave no objects behind", async () => {
    expect(await checkPutIfAbsent(bucket, open())).toBe(`${bucket} creates each object once`);
    expect(await open().list("")).toEqual([]);
  });

  /** Another process on the same bucket. */
  function openRefinery() {
    const place = { store: open(), clock };
    return {
      ...place,
      stream: orderStream,
      silver: openSilver(place),
      quarantine: openQuarantine(place),
      catalog,
      customerKey,
    };
  }

  /** Lands 60 orders of four days, one of them rejected, in 12 objects, while three others refine and compact. */
  async function fillLake() {
    const store = open();
    const days = ["2014-12-29", "2014-12-30", "2014-12-31", "2015-01-01"];
    const landing = Array.from({ length: 12 }, async (_, batch) => {
      const events = Array.from({ length: 5 }, (_order, n) =>
        order({
          order_id: `o-${batch * 5 + n}`,
          ordered_at: `${days[batch % days.length]}T11:38:36-05:00`,
          ...(batch === 11 && n === 4 && { store_id: "nowhere" }),
        }),
      );
      await landRecords({ store, stream: orderStream, clock }, [record(batch, events)]);
    });
    await Promise.all(landing);
    const refining = Array.from({ length: 3 }, async () => {
      const refinery = openRefinery();
      for (let rest = 1; rest > 0;) rest = (await refineSilver(refinery, { maxEvents: 10 })).remaining;
      await publishQuarantine(refinery);
      await compactSilver(refinery, { sweep: "full" });
    });
    await Promise.all(refining);
    return openRefinery();
  }

  it("has every order once despite concurrent refining, at every version that DuckDB reads", async () => {
    const { store, silver, quarantine } = await fillLake();
    const folder = mkdtempSync(join(tmpdir(), "pizza-minio-"));
    folders.push(folder);
    const lake = await openDuckDbOverStore({ store, folder });
    const newest = await silver.snapshot();
    const sums = "select count(*) as lines, count(distinct order_id) as orders, sum(revenue_cents) as cents";
    expect(await lake.query(`${sums} from silver_order_lines`, [], [silverLakeTable(newest)])).toEqual([
      { lines: 59n, orders: 59n, cents: 59n * 1325n },
    ]);
    const rejected = [quarantineLakeTable(await quarantine.snapshot())];
    expect(await lake.query("select order_id, reason from quarantine_order_events", [], rejected)).toEqual([
      { order_id: "o-59", reason: "unknown_store" },
    ]);
    const first = silverLakeTable(await silver.snapshot(0));
    const [early] = await lake.query("select count(*) as n from silver_order_lines", [], [first]);
    expect(early!["n"]).toBeLessThan(59n);
    expect(await store.list("bronze/")).toHaveLength(12);
    await lake.close();
  });

  it.skipIf(python === undefined)("has a table that delta-rs reads over S3", async () => {
    const { silver } = await fillLake();
    const { version } = await silver.snapshot();
    const script = new URL("../interop/delta_rs.py", import.meta.url).pathname;
    const expected = ["--expect-rows", "59", "--expect-sum", `revenue_cents=${59 * 1325}`];
    const environment = {
      AWS_ENDPOINT_URL: endpoint,
      AWS_ALLOW_HTTP: "true",
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    };
    const said = execFileSync(python!, [script, `s3://${bucket}/silver/order_lines`, ...expected], {
      env: { ...process.env, ...environment },
      encoding: "utf8",
    });
    expect(said).toContain(`version ${version}: rows 59`);
  });
});
