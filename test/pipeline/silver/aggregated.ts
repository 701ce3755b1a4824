import { aggregated } from "../../../pipeline/silver/aggregated-record.ts";

/** A field of a protobuf message whose number is below 16, with the length before its bytes. */
export function field(number: number, value: Uint8Array): Buffer {
  const length = [];
  let rest = value.length;
  for (; rest >= 128; rest >>= 7) length.push((rest & 127) | 128);
  return Buffer.concat([Buffer.from([number * 8 + 2, ...length, rest]), value]);
}

/** A user record of an aggregated one, with the first partition key. */
export function userRecord(data: Uint8Array | string): Buffer {
  return field(3, Buffer.concat([Buffer.from([8, 0]), field(3, Buffer.from(data))]));
}

/** A record as the Kinesis Producer Library sends it. */
export function aggregate(...users: (Uint8Array | string)[]): Buffer {
  return aggregated(Buffer.concat([field(1, Buffer.from("key")), ...users.map(userRecord)]));
}
