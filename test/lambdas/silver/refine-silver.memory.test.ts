import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { landRecords } from "../../../pipeline/bronze/land-records.ts";
import { limits } from "../../../pipeline/domain/rejection-reasons.ts";
import type { RefineSummary } from "../../../pipeline/silver/refine-silver.ts";
import { orderStream } from "../../../pipeline/silver/tables.ts";
import { record } from "../../pipeline/silver/refine-fixture.ts";
import { order } from "../../support/order-fixture.ts";
import { startS3Server, type S3Server } from "../../support/s3-server.ts";
import { sharedBundle } from "../bundles.ts";
import { startLambda, type LambdaHost } from "../lambda-host.ts";
import { startSecretStore } from "../secret-store.ts";

/** As in `lib/stages/refining.ts`. */
const memoryMegabytes = 1769;
const mostMegabytes = 1500;
const secretArn = "arn:aws:secretsmanager:eu-central-1:000000000000:secret:customer-key";

const root = mkdtempSync(join(tmpdir(), "pizza-refine-memory-"));
let s3: S3Server;
let secrets: Awaited<ReturnType<typeof startSecretStore>>;
let refine: LambdaHost;

beforeAll(async () => {
  s3 = await startS3Server({ root });
  secrets = await startSecretStore({ [secretArn]: { key: "key of the tests" } });
  const environment = {
    AWS_ENDPOINT_URL_S3: s3.url,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.url,
    LAKE_BUCKET: "lake",
    CUSTOMER_KEY_SECRET_ARN: secretArn,
  };
  refine = startLambda(sharedBundle("RefineSilver", "athena"), environment, { memoryMegabytes });
});

afterAll(async () => {
  await refine.close();
  await Promise.all([s3.close(), secrets.close()]);
  rmSync(root, { recursive: true, force: true });
});

/** Lands a batch as the only record of a bronze object, and refines all that waits. */
async function refineAll(sequenceNumber: number, batch: Buffer): Promise<RefineSummary[]> {
  const place = { store: s3.bucket("lake"), stream: orderStream };
  await landRecords(place, [record(sequenceNumber, zstdCompressSync(batch), { arrivedAt: Date.now() })]);
  const runs: RefineSummary[] = [];
  do runs.push((await refine.invoke({ sweep: "full" })) as RefineSummary);
  while (runs.at(-1)!.remaining > 0);
  return runs;
}

/** Many events of one order and revision, each with another number of its till. */
function conflictsOf(count: number): Buffer {
  const events = Array.from({ length: count }, (_, n) => order({ producer: { producer_id: "till-1", seq: n + 1 } }));
  return Buffer.from(events.map((event) => JSON.stringify(event)).join("\n"));
}

test.each([
  ["a million empty lines", 1, Buffer.alloc(1_000_000, "\n"), { accepted: 0, quarantined: 1 }],
  ["a batch of empty lines, as long as one may be", 2, Buffer.alloc(limits.batchBytes, "\n"), { quarantined: 1 }],
  ["4,000 events of one order and revision", 3, conflictsOf(4000), { accepted: 1, quarantined: 3999 }],
])("the deployed function refines %s within its memory", async (_, sequenceNumber, batch, expected) => {
  expect(await refineAll(sequenceNumber, batch)).toMatchObject([expected]);
  expect(refine.peakMegabytes()).toBeLessThan(mostMegabytes);
});
