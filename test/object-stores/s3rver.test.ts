import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { openS3Store } from "../../adapters/s3.ts";
import { checkPutIfAbsent } from "../../targets/aws/check-deployment.ts";
import { openSmall, smallRows, writeSmall } from "../pipeline/delta/small-table.ts";
import { clientOf, makeBucket } from "./bucket.ts";

/** s3rver's endpoint; `run.ts` starts one, and the tests are skipped if it is not set. */
const endpoint = process.env["PIZZA_TEST_S3RVER"];

describe.skipIf(endpoint === undefined)("s3rver, which ignores If-None-Match", () => {
  const client = clientOf(endpoint ?? "http://127.0.0.1:1", { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" });
  let bucket: string;
  beforeEach(async () => {
    bucket = await makeBucket(client);
  });
  afterAll(() => client.destroy());
  const open = () => openS3Store({ bucket, client });

  test("is rejected by the doctor's checks, which leave no objects behind", async () => {
    await expect(checkPutIfAbsent(bucket, open())).rejects.toThrow(`${bucket} ignores If-None-Match`);
    expect(await open().list("")).toEqual([]);
  });

  test("loses rows as the doctor warns: two commits of one version both succeed, and one is overwritten", async () => {
    const writers = await Promise.all(
      ["first", "second"].map(async (id) => {
        const table = openSmall(open());
        const none = { operation: "WRITE", removes: [], transactions: [], operationMetrics: {} };
        const adds = [await writeSmall(table, "2015-01-01", smallRows(id))];
        return async () => await table.commit({ ...none, readVersion: -1, adds });
      }),
    );
    const outcomes = [];
    for (const commit of writers) outcomes.push(await commit());
    expect(outcomes).toEqual([
      { committed: true, version: 0 },
      { committed: true, version: 0 },
    ]);
    expect((await openSmall(open()).snapshot()).files.size).toBe(1);
  });
});
