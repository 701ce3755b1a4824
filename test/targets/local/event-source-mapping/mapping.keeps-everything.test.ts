import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { openFolderStore } from "../../../../adapters/folder-store.ts";
import { decodeBronze } from "../../../../pipeline/bronze/bronze-object.ts";
import { landRecords } from "../../../../pipeline/bronze/land-records.ts";
import { listBronze } from "../../../../pipeline/bronze/list-bronze.ts";
import { decodeFailedBatch } from "../../../../pipeline/bronze/on-failure-objects.ts";
import type { ObjectStore, StreamRecord } from "../../../../pipeline/ports.ts";
import { startEventSourceMapping } from "../../../../targets/local/event-source-mapping/mapping.ts";
import { openStreamLog } from "../../../../targets/local/stream/stream-log.ts";

/** The fault of one call: none, an error before or after the write, or a lost checkpoint with a restart. */
const fate = fc.constantFrom("fine", "fine", "before", "after", "poison", "restart", "forget");

async function recordsIn(store: ObjectStore, failed: ObjectStore): Promise<StreamRecord[]> {
  const found: StreamRecord[] = [];
  for (const { key } of await listBronze(store, "orders")) {
    found.push(...(await decodeBronze((await store.get(key)) ?? Buffer.alloc(0))));
  }
  for (const { key } of await failed.list(""))
    found.push(...decodeFailedBatch((await failed.get(key)) ?? Buffer.alloc(0)));
  return found;
}

it("every record ends up in bronze or in the on-failure store, byte for byte, whatever fails", async () => {
  const history = fc.record({
    fates: fc.array(fate, { maxLength: 12 }),
    puts: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 }),
    batchSize: fc.integer({ min: 1, max: 9 }),
    maximumRetryAttempts: fc.integer({ min: 0, max: 2 }),
    bisectBatchOnFunctionError: fc.boolean(),
    reshardTo: fc.integer({ min: 1, max: 3 }),
  });

  await fc.assert(
    fc.asyncProperty(history, async ({ fates, puts, reshardTo, ...settings }) => {
      const dir = mkdtempSync(join(tmpdir(), "landing-"));
      const stream = await openStreamLog({ dir: join(dir, "stream"), shards: 2, segmentBytes: 500 });
      const store = openFolderStore(join(dir, "lake"));
      const onFailure = openFolderStore(join(dir, "on-failure"));
      const left = [...fates];
      const poisoned = new Set<string>();
      let mustRestart = false;

      async function invoke(records: StreamRecord[]): Promise<void> {
        const next = left.shift() ?? "fine";
        if (next === "poison") poisoned.add(records[0]?.partitionKey ?? "");
        if (next === "restart") mustRestart = true;
        if (next === "forget") rmSync(join(dir, "checkpoints"), { recursive: true, force: true });
        if (next === "before" || records.some(({ partitionKey }) => poisoned.has(partitionKey))) throw new Error(next);
        await landRecords({ store, stream: "orders" }, records);
        if (next === "after") throw new Error(next);
      }

      const start = () =>
        startEventSourceMapping({
          stream,
          checkpointDir: join(dir, "checkpoints"),
          invoke,
          onFailure,
          windowMs: 0,
          maximumRecordAgeMs: -1,
          sleep: async () => rmSync(join(dir, "nothing"), { force: true }),
          ...settings,
        });

      const sent = new Map<string, string>();
      let mapping = start();
      for (const [put, count] of puts.entries()) {
        const records = Array.from({ length: count }, (_, index) => ({
          partitionKey: `${put}-${index}`,
          data: Buffer.from(`payload ${put}-${index} \u0000`),
        }));
        const results = await stream.putRecords(records);
        for (const [index, result] of results.entries()) {
          if ("shard" in result)
            sent.set(`${result.shard}:${result.sequenceNumber}`, records[index]?.data.toString() ?? "");
        }
        if (put === 1) await stream.reshard(reshardTo);
        if (!mustRestart) continue;
        mustRestart = false;
        await mapping.stop();
        mapping = start();
      }
      await mapping.stop();
      mapping = start();
      await mapping.flush();
      await mapping.stop();
      await stream.close();

      const kept = new Map(
        (await recordsIn(store, onFailure)).map((record) => [
          `${record.shard}:${record.sequenceNumber}`,
          Buffer.from(record.data).toString(),
        ]),
      );
      rmSync(dir, { recursive: true });
      expect(kept).toEqual(sent);
    }),
    { numRuns: 15 },
  );
});
