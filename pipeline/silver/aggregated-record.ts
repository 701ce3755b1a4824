import { hash } from "node:crypto";

/**
 * Records that the Kinesis Producer Library aggregates: a magic number, the message `AggregatedRecord` of its
 * `messages.proto` and the MD5 of that message.
 * https://github.com/awslabs/amazon-kinesis-producer/blob/master/aggregation-format.md
 */
const magic = Buffer.from([0xf3, 0x89, 0x9a, 0xc2]);
const digestLength = 16;
const [varint, lengthDelimited] = [0, 2];
/** Field numbers of `AggregatedRecord` and of its `Record`. */
const aggregate = { partitionKeys: 1, hashKeys: 2, records: 3 };
const entry = { partitionKey: 1, hashKey: 2, data: 3, tags: 4 };

/** One field of a protobuf message, with its bytes: a length-delimited one without its length. */
interface Field {
  number: number;
  wire: number;
  value: Buffer;
}

/** Whether a record begins as an aggregated one. No UTF-8 text does. */
export function isAggregated(record: Buffer): boolean {
  return record.length >= magic.length && record.subarray(0, magic.length).equals(magic);
}

/** Returns the data of each user record; throws if a byte of the record is damaged or not understood. */
export function readAggregated(record: Buffer): Buffer[] {
  return recordsOf(messageOf(record)).map((fields) => dataOf(fields));
}

/** Returns the aggregated record with other data in its user records, in their order. */
export function replaceAggregated(record: Buffer, data: readonly Uint8Array[]): Buffer {
  let next = 0;
  const message = readFields(messageOf(record)).map((field) => {
    if (field.number !== aggregate.records) return writeField(field);
    const replaced = data[next++]!;
    const fields = readFields(field.value).map((inner) =>
      writeField(inner.number === entry.data ? { ...inner, value: Buffer.from(replaced) } : inner),
    );
    return writeField({ ...field, value: Buffer.concat(fields) });
  });
  return aggregated(Buffer.concat(message));
}

/** Frames a protobuf message as an aggregated record. */
export function aggregated(message: Uint8Array): Buffer {
  return Buffer.concat([magic, message, hash("md5", message, "buffer")]);
}

function messageOf(record: Buffer): Buffer {
  const end = record.length - digestLength;
  const message = record.subarray(magic.length, Math.max(end, magic.length));
  if (end < magic.length || !hash("md5", message, "buffer").equals(record.subarray(end))) {
    throw new Error("its MD5 does not match");
  }
  return message;
}

function recordsOf(message: Buffer): Field[][] {
  const known = Object.values(aggregate);
  const fields = readFields(message);
  const strange = fields.find(({ number, wire }) => !known.includes(number) || wire !== lengthDelimited);
  if (strange !== undefined) throw new Error(`field ${strange.number} is unknown`);
  return fields.filter(({ number }) => number === aggregate.records).map(({ value }) => readFields(value));
}

function dataOf(fields: readonly Field[]): Buffer {
  const known = Object.values(entry);
  const strange = fields.find(({ number }) => !known.includes(number));
  if (strange !== undefined) throw new Error(`field ${strange.number} of a user record is unknown`);
  const data = fields.filter(({ number, wire }) => number === entry.data && wire === lengthDelimited);
  if (data.length !== 1) throw new Error(`a user record has ${data.length} data fields`);
  return data[0]!.value;
}

function readFields(message: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 0;
  while (at < message.length) {
    const tag = readVarint();
    const [number, wire] = [Math.floor(tag / 8), tag % 8];
    const start = at;
    const first = readVarint();
    if (wire === varint) fields.push({ number, wire, value: message.subarray(start, at) });
    else if (wire === lengthDelimited && first <= message.length - at) {
      fields.push({ number, wire, value: message.subarray(at, at + first) });
      at += first;
    } else throw new Error("its protobuf message is damaged");
  }
  return fields;

  function readVarint(): number {
    let value = 0;
    // More than seven bytes exceed a number, and a record is shorter than four.
    for (let shift = 0; shift < 49; shift += 7) {
      const byte = message[at++];
      if (byte === undefined) break;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    throw new Error("its protobuf message is damaged");
  }
}

function writeField({ number, wire, value }: Field): Buffer {
  const tag = writeVarint(number * 8 + wire);
  return Buffer.concat(wire === varint ? [tag, value] : [tag, writeVarint(value.length), value]);
}

function writeVarint(value: number): Buffer {
  const bytes = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}
