import { isUtf8 } from "node:buffer";
import { hash } from "node:crypto";
import { readJsonText } from "../domain/json-text.ts";
import { limits, reject, type Rejection } from "../domain/rejection-reasons.ts";
import { isAggregated, readAggregated, replaceAggregated } from "./aggregated-record.ts";
import { codecOf, compress, decompress, type Codec } from "./compression.ts";

/**
 * One event of a stream record: the bytes of one JSON text, or bytes that are not JSON, together so that nothing of the
 * record is lost. Copy bytes that outlive the record.
 */
export interface EventUnit<Scanned = never> {
  /** Its `record_index`. */
  index: number;
  /** The index of its text among those of the record. */
  part: number;
  bytes: Buffer;
  /** Why the record or a part of it could not be split into events. */
  rejection?: Rejection;
  /** Whether the bytes are still compressed or aggregated, so that nobody can look into them. */
  isPacked?: boolean;
  /** What the scanner returned for it. */
  scanned?: Scanned;
}

/** Reads the event at an offset of valid UTF-8 without splitting first; undefined if it cannot. */
export type ScanEvent<Scanned> = (bytes: Buffer, start: number) => { scanned: Scanned; end: number } | undefined;

/** A text in a stream record: the whole record, or one user record of an aggregated one, decompressed. */
interface RecordPart {
  bytes: Buffer;
  codec?: Codec;
  rejection?: Rejection;
}

const [newline, carriageReturn, separator] = [0x0a, 0x0d, 0x1e];
const [openBrace, openBracket] = [0x7b, 0x5b];

/**
 * Splits a stream record into its events: the only function that knows how events are framed.
 *
 * A record is plain text, or a batch compressed with zstd or gzip. It may also be an aggregated record of the Kinesis
 * Producer Library, with either of them as user records. A text holds JSON objects, one after the other, with or
 * without newlines, record separators (RFC 7464) or invisible characters between them, or in an array. Where a line
 * cannot be read to its end, all of the line is one event, which is rejected.
 *
 * In a batch the index of an event is at least the number of newlines before it, so that it stays what it was when each
 * line was an event.
 */
export function unpackRecord<Scanned>(data: Uint8Array, scan?: ScanEvent<Scanned>): EventUnit<Scanned>[] {
  const parts = openRecord(data);
  const units: EventUnit<Scanned>[] = [];
  const room = { emptyLines: limits.emptyLines };
  for (const [part, { bytes, codec, rejection = nestedIn(bytes) }] of parts.entries()) {
    const index = units.length === 0 ? 0 : units.at(-1)!.index + 1;
    const before = units.length;
    if (rejection !== undefined) units.push({ index, part, bytes, rejection, isPacked: true });
    else splitText({ bytes, part, index, isBatch: codec !== undefined, scan }, units, room);
    // An empty record is one (invalid) event, but an empty batch holds no events.
    if (units.length === before && codec === undefined) units.push({ index, part, bytes });
    const excess =
      room.emptyLines < 0
        ? `${limits.emptyLines} empty lines`
        : units.length > limits.batchEvents
          ? `${limits.batchEvents} events`
          : undefined;
    if (excess === undefined) continue;
    const whole = parts.length === 1 ? { bytes } : { bytes: viewOf(data), isPacked: true };
    return [{ index: 0, part: 0, ...whole, ...reject("batch_too_large", `record with more than ${excess}`) }];
  }
  return units;
}

/** Returns the bytes that a record unpacks to, each of its texts once; none of a part that cannot be unpacked. */
export function textsOf(data: Uint8Array): Buffer[] {
  return openRecord(data)
    .filter(({ rejection }) => rejection === undefined)
    .map(({ bytes }) => bytes);
}

/**
 * Returns a function that copies an event of a record; the record must have it. Successive calls for the same record
 * split it once.
 */
export function createEventReader(): (data: Uint8Array, index: number) => Buffer {
  let known: { data: Uint8Array; events: Map<number, Buffer> } | undefined;
  return (data, index) => {
    if (known?.data !== data) {
      known = { data, events: new Map(unpackRecord(data).map((unit) => [unit.index, unit.bytes])) };
    }
    const bytes = known.events.get(index);
    if (bytes === undefined) throw new Error(`the record has no event ${index}`);
    return Buffer.from(bytes);
  };
}

/**
 * Replaces events of a record, and packs it as it was; undefined if `replace` returns undefined for each of them. All
 * other bytes, and every index, stay.
 */
export function rewriteRecord(
  data: Uint8Array,
  replace: (event: Buffer) => Uint8Array | undefined,
): Uint8Array | undefined {
  const parts = openRecord(data);
  const units = Map.groupBy(
    unpackRecord(data).filter(({ isPacked }) => isPacked !== true),
    ({ part }) => part,
  );
  let isChanged = false;
  const texts = parts.map(({ bytes, codec, rejection }, part) => {
    const pieces: Uint8Array[] = [];
    let at = 0;
    for (const unit of units.get(part) ?? []) {
      const replaced = replace(unit.bytes);
      if (replaced === undefined) continue;
      isChanged = true;
      const start = unit.bytes.byteOffset - bytes.byteOffset;
      pieces.push(bytes.subarray(at, start), replaced);
      at = start + unit.bytes.length;
    }
    const text = pieces.length === 0 ? bytes : Buffer.concat([...pieces, bytes.subarray(at)]);
    return codec === undefined || rejection !== undefined ? text : compress(codec, text);
  });
  if (!isChanged) return undefined;
  const record = viewOf(data);
  return isAggregated(record) ? replaceAggregated(record, texts) : texts[0]!;
}

/** Decodes one event's bytes as text, or rejects them if they exceed the limit or are not valid UTF-8. */
export function eventOf(bytes: Buffer): { text: string } | { bytes: Buffer; rejection: Rejection } {
  if (bytes.length > limits.eventBytes) {
    return { bytes, ...reject("event_too_large", `event of ${bytes.length} bytes`) };
  }
  if (isWide(bytes)) return { bytes, ...reject("bad_utf8", "event in UTF-16 or UTF-32") };
  return isUtf8(bytes) ? { text: bytes.toString("utf8") } : { bytes, ...reject("bad_utf8", "event") };
}

/**
 * Returns the first 64 bits of the SHA-256 of an event's UTF-8 bytes, as a signed integer (Parquet INT64, SQL bigint).
 */
export function payloadHash(event: string | Uint8Array): bigint {
  // Latin-1 text: allocating a buffer or hexadecimal digits takes longer than hashing a short event.
  const digest = hash("sha256", event, "binary");
  for (let index = 0; index < 8; index++) firstBytes[index] = digest.charCodeAt(index);
  return firstEight.getBigInt64(0);
}

const firstBytes = new Uint8Array(8);
const firstEight = new DataView(firstBytes.buffer);

/** Whether bytes hold what cannot be searched as text: compressed or aggregated data, or text in another encoding. */
export function isOpaque(bytes: Buffer): boolean {
  return isWide(bytes) || packedMarks.some((mark) => bytes.includes(mark));
}

const packedMarks = ["28b52ffd", "1f8b08", "f3899ac2"].map((digits) => Buffer.from(digits, "hex"));

function viewOf(data: Uint8Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

/** The record that was opened last: an event that loses a conflict is read again soon after its record was. */
let opened: { data: Uint8Array; parts: RecordPart[] } | undefined;

function openRecord(data: Uint8Array): RecordPart[] {
  if (opened?.data === data) return opened.parts;
  const record = viewOf(data);
  if (!isAggregated(record) && codecOf(record) === undefined) return [{ bytes: record }];
  const parts = isAggregated(record) ? openAggregated(record) : [openPart(record, limits.batchBytes)];
  opened = { data, parts };
  return parts;
}

function openAggregated(record: Buffer): RecordPart[] {
  let users: Buffer[];
  try {
    users = readAggregated(record);
  } catch (cause) {
    return [{ bytes: record, ...reject("batch_corrupt", `record with KPL aggregation: ${(cause as Error).message}`) }];
  }
  let room: number = limits.batchBytes;
  return users.map((user) => {
    const part = openPart(user, room);
    room -= part.codec === undefined ? 0 : part.bytes.length;
    return part;
  });
}

function openPart(bytes: Buffer, room: number): RecordPart {
  const codec = codecOf(bytes);
  if (codec === undefined) return { bytes };
  const unpacked = decompress(codec, bytes, room);
  return "rejection" in unpacked ? { bytes, codec, ...unpacked } : { bytes: unpacked.bytes, codec };
}

/** Why a text cannot be split: it is itself compressed or aggregated. */
function nestedIn(bytes: Buffer): Rejection | undefined {
  if (!isAggregated(bytes) && codecOf(bytes) === undefined) return undefined;
  return reject("batch_corrupt", "batch within a batch").rejection;
}

/** A text to split, and the index of its first event. */
interface TextToSplit<Scanned> {
  bytes: Buffer;
  part: number;
  index: number;
  isBatch: boolean;
  scan: ScanEvent<Scanned> | undefined;
}

/** Splits one text into events, until it exceeds the room. */
function splitText<Scanned>(
  { bytes, part, index: first, isBatch, scan }: TextToSplit<Scanned>,
  units: EventUnit<Scanned>[],
  room: { emptyLines: number },
): void {
  if (isWide(bytes)) {
    units.push({ index: first, part, bytes });
    return;
  }
  let index = first;
  let lines = 0;
  let isLineEmpty = true;
  let lineStart = 0;
  for (let at = 0; at < bytes.length && room.emptyLines >= 0 && units.length <= limits.batchEvents;) {
    const invisible = invisibleBytes(bytes, at);
    if (invisible > 0) {
      if (bytes[at] === newline) {
        lines++;
        if (isLineEmpty) room.emptyLines--;
        isLineEmpty = true;
      }
      at += invisible;
      if (isLineEnd(bytes[at - 1])) lineStart = at;
      continue;
    }
    isLineEmpty = false;
    if (isBatch) index = Math.max(index, first + lines);
    const found = scan?.(bytes, at);
    if (found !== undefined && endsLine(bytes, found.end)) {
      units.push({ index: index++, part, bytes: bytes.subarray(at, found.end), scanned: found.scanned });
      at = found.end;
      continue;
    }
    const line = readLine(bytes, { start: at, lineStart, isBatch });
    for (const [from, to] of line.events) units.push(unitOf(bytes.subarray(from, to), { index: index++, part }));
    for (let i = at; i < line.end; i++) if (bytes[i] === newline) lines++;
    at = line.end;
  }
}

function unitOf(bytes: Buffer, at: { index: number; part: number }): EventUnit {
  const rejection = nestedIn(bytes);
  return rejection === undefined ? { ...at, bytes } : { ...at, bytes, rejection, isPacked: true };
}

/**
 * Reads the JSON texts up to the end of the line on which the last of them ends. If they do not fill it, the line is
 * one event. It includes further lines if a text is still open at its end, or if the record is no batch, up to the next
 * line that begins an object or array.
 */
function readLine(
  bytes: Buffer,
  { start, lineStart, isBatch }: { start: number; lineStart: number; isBatch: boolean },
): { events: (readonly [start: number, end: number])[]; end: number } {
  const events: (readonly [start: number, end: number])[] = [];
  let at = start;
  let brokenAt = start;
  while (opens(bytes[at])) {
    const text = readJsonText(bytes, at, limits.batchEvents + 1);
    brokenAt = text.brokenAt;
    if (text.end === -1) break;
    if (text.objects.length === 0) events.push([at, text.end]);
    else for (const object of text.objects) events.push(object);
    at = text.end;
    while (at < bytes.length && !isLineEnd(bytes[at]) && invisibleBytes(bytes, at) > 0) at += invisibleBytes(bytes, at);
    // A line of more events than a record may have is not read to its end, which may be millions of events away.
    const isTooLong = events.length > limits.batchEvents;
    if (isTooLong || at === bytes.length || isLineEnd(bytes[at])) return { events, end: at };
    brokenAt = at;
  }
  let end = endOfLine(bytes, at);
  const isOpen = opens(bytes[at]) && brokenAt >= end;
  if (isOpen || !isBatch) while (end < bytes.length && !startsText(bytes, end + 1)) end = endOfLine(bytes, end + 1);
  return { events: [[lineStart, end]], end };
}

function opens(byte: number | undefined): boolean {
  return byte === openBrace || byte === openBracket;
}

function startsText(bytes: Buffer, at: number): boolean {
  return opens(bytes[at]) || bytes[at] === separator;
}

function isLineEnd(byte: number | undefined): boolean {
  return byte === newline || byte === separator;
}

function endOfLine(bytes: Buffer, start: number): number {
  let at = start;
  while (at < bytes.length && !isLineEnd(bytes[at])) at++;
  return Math.min(at, bytes.length);
}

/** Whether nothing but the end of its line follows an event. */
function endsLine(bytes: Buffer, end: number): boolean {
  return (
    end === bytes.length || bytes[end] === newline || (bytes[end] === carriageReturn && bytes[end + 1] === newline)
  );
}

/** The ranges of characters beyond ASCII that have no glyph, as UTF-8 of equal length. */
const invisibleRanges = [
  ["\u0085", "\u0085"],
  ["\u00a0", "\u00a0"],
  ["\u00ad", "\u00ad"],
  ["\u1680", "\u1680"],
  ["\u180e", "\u180e"],
  ["\u2000", "\u200f"],
  ["\u2028", "\u202f"],
  ["\u205f", "\u206f"],
  ["\u2800", "\u2800"],
  ["\u3000", "\u3000"],
  ["\ufeff", "\ufeff"],
].map((range) => range.map((char) => Buffer.from(char)) as [Buffer, Buffer]);

/** Returns the length of the invisible character at an offset: control characters and Unicode's white space; else 0. */
function invisibleBytes(bytes: Buffer, at: number): number {
  const byte = bytes[at]!;
  if (byte <= 0x20 || byte === 0x7f) return 1;
  if (byte < 0xc2) return 0;
  for (const [from, to] of invisibleRanges) {
    if (byte !== from[0]) continue;
    const char = bytes.subarray(at, at + from.length);
    if (char.length === from.length && char.compare(from) >= 0 && char.compare(to) <= 0) return char.length;
  }
  return 0;
}

/** Whether text has two or four bytes for each character, as its first ones show, which are ASCII. */
function isWide(bytes: Buffer): boolean {
  const start = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff) ? 2 : 0;
  if (bytes.length < start + 8) return false;
  let zeros = 0;
  for (let at = start; at < start + 4; at++) {
    if ((bytes[at] === 0) !== (bytes[at + 4] === 0)) return false;
    if (bytes[at] === 0) zeros++;
  }
  const isAlternating =
    (bytes[start] === 0) !== (bytes[start + 1] === 0) && (bytes[start] === 0) === (bytes[start + 2] === 0);
  return zeros === 3 || (zeros === 2 && isAlternating);
}
