import { expect, test } from "vitest";
import { classicYear, send } from "../../../bin/commands/send.ts";
import { toOutgoing, type Outgoing } from "../../../producer/batch-builder.ts";
import { createMemorySink } from "../../producer/memory-sink.ts";

const orders = [...classicYear()].slice(0, 600).map((event) => toOutgoing(event));
const values = { dir: "", target: "local", env: "", "batch-bytes": "20000" } as const;

/** The records of each shard, in order, from a source that stops for longer than an event lingers by default. */
async function recordsOf(pauseAt: number): Promise<Map<string, Buffer[]>> {
  const sink = createMemorySink({ shards: 2 });
  async function* source(): AsyncGenerator<Outgoing> {
    for (const [number, event] of orders.entries()) {
      if (number === pauseAt) await new Promise((resolve) => setTimeout(resolve, 200));
      yield event;
    }
  }
  await send(sink, source, values, { isPaced: false });
  const shards = Map.groupBy(sink.stored, ({ explicitHashKey }) => explicitHashKey!);
  return new Map([...shards].map(([shard, records]) => [shard, records.map(({ data }) => Buffer.from(data))]));
}

test("two unpaced runs send the same records to each shard, whatever their speed", async () => {
  const [first, second] = [await recordsOf(-1), await recordsOf(333)];
  expect(first.size).toBe(2);
  for (const [shard, records] of first) expect(second.get(shard)).toEqual(records);
});
