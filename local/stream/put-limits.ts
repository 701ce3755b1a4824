import type { OutgoingRecord } from "../../lambdas/ports.ts";

/** What one PutRecords call of Kinesis may carry. */
export const putLimits = { records: 500, callBytes: 5 * 1024 * 1024, recordBytes: 1024 * 1024, keyCharacters: 256 };

/** Throws where Kinesis would refuse the whole call; nothing has been written then. */
export function checkPut(records: readonly OutgoingRecord[]): void {
  if (records.length > putLimits.records) {
    throw new Error(`PutRecords: ${records.length} records; send at most ${putLimits.records} in one call`);
  }
  let bytes = 0;
  for (const [index, record] of records.entries()) {
    checkRecord(record, index);
    bytes += record.data.length + Buffer.byteLength(record.partitionKey);
  }
  if (bytes > putLimits.callBytes) {
    throw new Error(`PutRecords: ${bytes} bytes; send at most ${putLimits.callBytes} in one call`);
  }
}

function checkRecord({ partitionKey, explicitHashKey, data }: OutgoingRecord, index: number): void {
  if (data.length > putLimits.recordBytes) {
    throw new Error(`PutRecords: record ${index} has ${data.length} bytes; send at most ${putLimits.recordBytes}`);
  }
  if (partitionKey.length === 0 || partitionKey.length > putLimits.keyCharacters) {
    throw new Error(
      `PutRecords: record ${index} has a partition key of ${partitionKey.length} characters; ` +
        `give it 1 to ${putLimits.keyCharacters}`,
    );
  }
  if (explicitHashKey === undefined) return;
  if (!/^(0|[1-9]\d{0,38})$/.test(explicitHashKey) || BigInt(explicitHashKey) >= 2n ** 128n) {
    throw new Error(
      `PutRecords: record ${index} has the explicit hash key ${explicitHashKey}; ` +
        `give a decimal number below 2^128 without leading zeros`,
    );
  }
}
