import { parquetReadObjects } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
import type { ObjectStore, StreamRecord } from "../pipeline/ports.ts";

/** The simplest landing: one event per record, hyparquet-writer's defaults (snappy), and no conditional write. */
export async function landPlain(store: ObjectStore, records: readonly StreamRecord[]): Promise<number> {
  const decoder = new TextDecoder();
  const body = new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: "shard", data: records.map(({ shard }) => shard), type: "STRING" },
        { name: "sequence_number", data: records.map(({ sequenceNumber }) => sequenceNumber), type: "STRING" },
        { name: "partition_key", data: records.map(({ partitionKey }) => partitionKey), type: "STRING" },
        { name: "arrived_at", data: records.map(({ arrivedAt }) => BigInt(arrivedAt)), type: "INT64" },
        { name: "payload", data: records.map(({ data }) => decoder.decode(data)), type: "STRING" },
      ],
    }),
  );
  await store.put(`plain/${records[0]!.shard}-${records[0]!.sequenceNumber}.parquet`, body);
  return body.length;
}

/** One row of a plain bronze object. */
export interface PlainRecord {
  shard: string;
  sequence_number: string;
  arrived_at: bigint;
  payload: string;
}

/** Reads a plain bronze object as rows. */
export async function readPlain(body: Uint8Array): Promise<PlainRecord[]> {
  const { buffer } = new Uint8Array(body);
  const columns = ["shard", "sequence_number", "arrived_at", "payload"];
  const rows = await parquetReadObjects({ file: buffer, columns });
  return rows.map(({ shard, sequence_number, arrived_at, payload }) => ({
    shard,
    sequence_number,
    arrived_at,
    payload,
  }));
}
