/**
 * A process to be killed: appends numbered records with several concurrent writers and prints those that were
 * acknowledged.
 */
import { openStreamLog } from "../../../../targets/local/stream/stream-log.ts";

const [dir = "", round = "0"] = process.argv.slice(2);
const stream = await openStreamLog({ dir, shards: 2, segmentBytes: 64 * 1024 });
process.stdout.write("open\n");

async function append(lane: number): Promise<void> {
  for (let number = 0; ; number += 1) {
    const name = `${round}/${lane}/${number}`;
    const data = Buffer.concat([Buffer.from(`${name} `), Buffer.alloc((number * 97) % 3000, lane)]);
    const [result] = await stream.putRecords([{ partitionKey: name, data }]);
    if (result && "shard" in result) process.stdout.write(`${name} ${result.shard} ${result.sequenceNumber}\n`);
  }
}

await Promise.all([0, 1, 2, 3].map(append));
